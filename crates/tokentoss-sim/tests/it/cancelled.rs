//! Cancel works in every state and leaves nothing open.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Answer, Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn assert_at_rest(world: &World) {
    assert_eq!(world.phase(), Phase::Ready);
    assert_eq!(world.problem(), None);
    assert!(!world.browser.listening);
    assert_eq!(world.browser.open_windows(), 0);
    assert_eq!(world.flow.next_timer(), None);
}

#[test]
fn before_the_start_page_answers() {
    let mut world = World::new();
    world.input(Input::SignIn);
    world.input(Input::Cancel);
    assert_at_rest(&world);
    world.settle();
    assert_at_rest(&world);
    assert!(world.provider.authorization_requests.is_empty());
}

#[test]
fn while_the_user_is_at_the_provider() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    world.input(Input::Cancel);
    assert_at_rest(&world);
    world.callback_message(&query);
    world.settle();
    assert_at_rest(&world);
    assert!(world.provider.token_requests.is_empty(), "a late callback is not used");
}

#[test]
fn during_the_exchange() {
    let mut world = World::new();
    world.provider.answer = Answer::Silent;
    world.sign_in();
    assert_eq!(world.phase(), Phase::SigningIn);
    world.input(Input::Cancel);
    assert_at_rest(&world);
    world.settle();
    assert!(world.kernel.tokens.is_empty());
}

#[test]
fn during_the_hand_over_the_truth_wins() {
    let mut world = World::handing_over();
    world.input(Input::Cancel);
    assert_at_rest(&world);
    world.kernel.busy = false;
    world.settle();
    assert_eq!(world.phase(), Phase::Done, "the kernel had the envelope already");
}

#[test]
fn cancel_when_idle_changes_nothing() {
    let mut world = World::new();
    world.input(Input::Cancel);
    assert_eq!(world.shown.len(), 1);
    world.sign_in();
    world.input(Input::Cancel);
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c4_the_next_attempt_works() {
    let mut world = World::at_provider();
    world.input(Input::Cancel);
    assert!(world.browser.windows.iter().all(|window| window.place == Place::Closed));
    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}
