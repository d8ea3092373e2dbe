//! Messages from pages that are not the listener's.

use tokentoss_core::flow::Phase;
use tokentoss_sim::{LISTENER, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c15_origins_are_compared_exactly() {
    let mut world = World::at_provider();
    let popup = world.popup();
    let query = world.honest_callback();
    let text = serde_json::json!({"type": "callback", "query": query}).to_string();
    for origin in [
        "http://127.0.0.1:4711.evil.example",
        "http://127.0.0.1:47110",
        "http://127.0.0.1:4712",
        "http://127.0.0.1",
        "https://127.0.0.1:4711",
        "http://localhost:4711",
        "http://127.0.0.1:4711/",
        "HTTP://127.0.0.1:4711",
        "https://as.example",
        "null",
        "",
    ] {
        world.message(origin, Some(popup), &text);
        assert_eq!(
            world.dropped.last().map(|error| error.code().as_str()),
            Some("origin_mismatch"),
            "{origin}"
        );
        assert!(!world.flow.expects_origin(origin));
    }
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty());
    assert!(world.flow.expects_origin(LISTENER));
    world.message(LISTENER, Some(popup), &text);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}
