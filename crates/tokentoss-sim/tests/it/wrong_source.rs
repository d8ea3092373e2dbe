//! Messages from windows that this sign-in did not open.

use tokentoss_core::flow::{Phase, WindowId};
use tokentoss_sim::{LISTENER, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c16_another_window_of_the_right_origin_is_ignored() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    let text = serde_json::json!({"type": "callback", "query": query}).to_string();
    for source in [None, Some(WindowId(77))] {
        world.message(LISTENER, source, &text);
        assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("source_mismatch"));
    }
    world.message(LISTENER, Some(WindowId(77)), r#"{"type":"ready"}"#);
    assert_eq!(world.dropped.len(), 3, "nor may it introduce itself");
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn a_window_of_a_cancelled_attempt_is_a_stranger_to_the_next() {
    let mut world = World::at_provider();
    let old = world.popup();
    let query = world.honest_callback();
    world.input(tokentoss_core::flow::Input::Cancel);
    world.input(tokentoss_core::flow::Input::SignIn);
    world.settle();
    let text = serde_json::json!({"type": "callback", "query": query}).to_string();
    world.message(LISTENER, Some(old), &text);
    assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("source_mismatch"));
}
