//! The machine sleeps for an hour: no state waits for ever, and the next click works.

use std::time::Duration;

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Answer, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const HOUR: Duration = Duration::from_secs(3600);
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

fn clicking_again_signs_in(mut world: World) {
    world.provider.answer = Answer::Honest;
    world.kernel.busy = false;
    world.user = tokentoss_sim::User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn before_the_start_page_is_ready() {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.input(Input::SignIn);
    world.sleep(HOUR);
    assert_eq!(world.phase(), Phase::Waiting, "the popup is steered on, with all the time there is");
    let address = world.honest_address();
    world.kernel.reachable = true;
    world.paste(&address);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn at_the_provider() {
    let mut world = World::at_provider();
    world.sleep(HOUR);
    assert_eq!(world.problem(), Some("sign_in_timed_out"));
    clicking_again_signs_in(world);
}

#[test]
fn while_the_code_is_exchanged() {
    let mut world = World::new();
    world.provider.answer = Answer::Silent;
    world.sign_in();
    assert_eq!(world.phase(), Phase::SigningIn);
    world.sleep(HOUR);
    assert_eq!(world.problem(), Some("token_endpoint_unreachable"));
    assert_eq!(world.provider.token_requests.len(), 1, "the code is sent once (C43)");
    clicking_again_signs_in(world);
}

#[test]
fn tokens_are_handed_over_on_waking() {
    let mut world = World::handing_over();
    world.in_trait.clear();
    world.sleep(HALF_AN_HOUR);
    assert_eq!(
        (world.phase(), world.deliveries),
        (Phase::HandingOver, 2),
        "sent again once, not for every miss"
    );
    world.kernel.busy = false;
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
}

#[test]
fn tokens_that_have_expired_on_waking_are_given_up() {
    let mut world = World::handing_over();
    world.in_trait.clear();
    world.sleep(HOUR);
    assert_eq!(world.problem(), Some("hand_over_timed_out"));
    clicking_again_signs_in(world);
}

#[test]
fn an_answer_that_came_while_asleep_counts_if_it_is_seen_first() {
    // On waking, the browser may hand over the answer before the timer.
    let mut world = World::at_provider();
    let query = world.honest_callback();
    world.now = world.now + HOUR;
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}
