//! Attack: "paste this code into your notebook". A code without its state may belong to somebody else's sign-in.

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c6_a_bare_code_is_refused_with_the_reason() {
    let mut world = World::steered(|_| {});
    let code = world.honest_callback();
    assert!(code.starts_with("code=code-1&"));
    for bare in ["code-1", "4/0AbCdEfGhIjKlMnOp-_", " SplxlOBeZQQYbYS6WxSbIA\n", "x"] {
        world.paste(bare);
        assert_eq!(world.paste_problem(), Some("paste_code_only"), "{bare}");
    }
    let sentence = world.flow.status().paste_problem.as_ref().expect("a problem").message();
    assert!(sentence.contains("whole address"), "{sentence}");
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
}

#[test]
fn c6_a_right_address_with_nothing_but_a_code_is_refused() {
    let mut world = World::steered(|_| {});
    world.paste("http://127.0.0.1:4711/callback?code=code-1");
    assert_eq!(world.paste_problem(), Some("state_mismatch"));
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
}
