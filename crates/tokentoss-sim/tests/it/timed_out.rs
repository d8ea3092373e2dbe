//! Waiting has an end.

use std::time::Duration;

use tokentoss_core::flow::Phase;
use tokentoss_sim::{Answer, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_user_who_does_nothing() {
    let mut world = World::at_provider();
    world.pass(Duration::from_secs(599));
    assert_eq!(world.phase(), Phase::Waiting);
    world.pass(Duration::from_secs(2));
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("sign_in_timed_out")));
    assert_eq!(world.browser.open_windows(), 0);
    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c43_a_silent_token_endpoint_is_asked_once() {
    let mut world = World::new();
    world.provider.answer = Answer::Silent;
    world.sign_in();
    world.pass(Duration::from_secs(31));
    assert_eq!(world.problem(), Some("token_endpoint_unreachable"));
    assert_eq!(world.provider.token_requests.len(), 1);
}
