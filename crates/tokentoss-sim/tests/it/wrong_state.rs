//! Forged and replayed callbacks.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn last_drop(world: &World) -> Option<&str> {
    world.dropped.last().map(|error| error.code().as_str())
}

#[test]
fn c6_c31_c32_wrong_and_missing_states_are_dropped_and_the_sign_in_goes_on() {
    let mut world = World::at_provider();
    for forged in [
        "code=x&state=bad",
        "code=x",
        "error=access_denied",
        "error=access_denied&state=bad",
        "state=",
        "",
        "state=&code=x",
        "code=x&iss=https%3A%2F%2Fas.example&state=%00",
    ] {
        world.callback_message(forged);
        assert_eq!(last_drop(&world), Some("state_mismatch"), "{forged}");
    }
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty());
    let query = world.honest_callback();
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c6_a_state_that_is_nearly_right_is_wrong() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    let at = query.find("state=").expect("a state") + 6;
    let mut cut = query.clone();
    cut.remove(at);
    world.callback_message(&cut);
    assert_eq!(last_drop(&world), Some("state_mismatch"));
    let mut longer = query;
    longer.insert(at, 'A');
    world.callback_message(&longer);
    assert_eq!(last_drop(&world), Some("state_mismatch"));
}

#[test]
fn c6_c31_a_replayed_callback_is_ignored() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    world.callback_message(&query);
    world.callback_message(&query);
    world.settle();
    world.callback_message(&query);
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.token_requests.len(), 1);
}

#[test]
fn c4_a_callback_of_an_earlier_attempt_is_ignored() {
    let mut world = World::at_provider();
    let old = world.honest_callback();
    world.input(Input::Cancel);
    world.input(Input::SignIn);
    world.settle();
    world.callback_message(&old);
    assert_eq!(last_drop(&world), Some("state_mismatch"));
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn neither_code_nor_error_ends_the_attempt() {
    for empty in ["code=", "x=1", "code=code-1&error=access_denied"] {
        let mut world = World::at_provider();
        let query = world.honest_callback().replace("code=code-1", empty);
        world.callback_message(&query);
        assert_eq!(world.problem(), Some("callback_invalid"), "{empty}");
        assert!(world.provider.token_requests.is_empty());
    }
}

#[test]
fn a_relay_that_does_not_open_is_dropped() {
    let mut world = World::at_provider();
    for sealed in ["", "AQID", &"A".repeat(300)] {
        world.input(Input::Relayed { sealed: sealed.to_owned() });
        assert_eq!(last_drop(&world), Some("message_malformed"));
    }
    assert_eq!(world.phase(), Phase::Waiting);
}
