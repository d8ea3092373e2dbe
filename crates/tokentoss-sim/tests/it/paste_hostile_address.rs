//! Attack: an address that only looks like the one that the sign-in ends at.

use serde_json::json;
use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c9_origin_and_path_are_compared_exactly() {
    let mut world = World::steered(|_| {});
    let query = world.honest_callback();
    for page in [
        "http://127.0.0.1:4712/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:4711/",
        "http://127.0.0.1:4711",
        "http://127.0.0.1:4711/callback/",
        "http://127.0.0.1:4711/callback/../callback",
        "http://127.0.0.1:4711//callback",
        "http://127.0.0.1:4711/Callback",
        "http://127.0.0.1:4711/callback;x",
        "https://127.0.0.1:4711/callback",
        "http://localhost:4711/callback",
        "http://127.0.0.1:4711@evil.example/callback",
        "http://127.0.0.1:4711.evil.example/callback",
        "http://evil.example/http://127.0.0.1:4711/callback",
        "https://as.example/authorize",
    ] {
        world.paste(&format!("{page}?{query}"));
        assert_eq!(world.paste_problem(), Some("paste_other_address"), "{page}");
    }
    let sentence = world.flow.status().paste_problem.as_ref().expect("a problem").message();
    assert!(sentence.contains("http://127.0.0.1:4711/callback"), "{sentence}");
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
}

#[test]
fn c39_the_address_of_the_way_in_use_counts_and_no_other() {
    let mut world =
        World::steered(|kernel| kernel.ticket()["callback_pages"] = json!(["https://pages.example/cb"]));
    let query = world.honest_callback();
    world.paste(&format!("http://127.0.0.1:4711/callback?{query}"));
    assert_eq!(world.paste_problem(), Some("paste_other_address"));
    assert!(world.provider.token_requests.is_empty());
}
