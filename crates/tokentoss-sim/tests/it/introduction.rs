//! The page introduces itself before any click, and nothing depends on the answer.

use std::time::Duration;

use serde_json::Value;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{PAGE, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn introductions(world: &World) -> Vec<Value> {
    let messages = world.comm.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    messages.filter(|message| message["origin"].is_string()).collect()
}

fn unanswered() -> World {
    World::with(|kernel| kernel.busy = true)
}

#[test]
fn trust_2_it_is_asked_at_once_and_again_after_2_8_and_30_seconds() {
    let mut world = unanswered();
    for (seconds, count) in [(1, 1), (1, 2), (7, 2), (1, 3), (29, 3), (1, 4), (600, 4)] {
        world.pass(Duration::from_secs(seconds));
        assert_eq!(introductions(&world).len(), count);
    }
    assert_eq!(world.flow.next_timer(), None);
    let all = introductions(&world);
    assert_eq!(all[0]["origin"], PAGE);
    assert!(all.iter().all(|message| message == &all[0]), "the same key");
    // After a reconnect it begins anew.
    world.input(Input::Connected);
    assert_eq!(introductions(&world).len(), 5);
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.flow.next_timer(), world.kernel.proofs().len()), (None, 1));
    world.input(Input::Connected);
    assert_eq!(introductions(&world).len(), 5, "it is known already");
}

#[test]
fn trust_2_the_proof_comes_along_and_the_attempt_has_another_key() {
    let mut world = World::new();
    world.kernel.own_origin = None;
    world.kernel.trusts_peers = false;
    let introduced = introductions(&world)[0]["key"].clone();
    world.sign_in();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1), "no question");
    assert!(!world.start_fragment.contains(introduced.as_str().expect("a key")));
    assert_eq!(world.kernel.tokens[0]["proof"], *world.kernel.proofs()[1]);
}

#[test]
fn trust_2_no_message_comes_between_the_click_and_the_popup() {
    let mut world = unanswered();
    world.now = world.now + Duration::from_secs(10);
    let before = world.comm.len();
    let mut rng = crate::forged::rng();
    world.flow.handle(world.now, Input::SignIn, &mut rng).expect("taken");
    world.flow.handle(world.now, Input::TimerFired, &mut rng).expect("taken");
    let mut outputs = Vec::new();
    while let Some(output) = world.flow.poll() {
        outputs.push(format!("{output:?}"));
    }
    assert!(outputs.iter().any(|output| output.starts_with("OpenPopup")), "{outputs:?}");
    assert!(!outputs.iter().any(|output| output.starts_with("Introduce")), "{outputs:?}");
    assert_eq!(world.comm.len(), before);
}

#[test]
fn trust_2_answers_to_others_and_garbage_are_ignored() {
    let mut world = unanswered();
    let key = introductions(&world)[0]["key"].as_str().expect("a key").to_owned();
    for (key, sealed) in [("other", "AQID"), (key.as_str(), "AQID"), (key.as_str(), "")] {
        world.input(Input::Introduced { key: key.into(), sealed: sealed.into() });
        assert_eq!(world.phase(), Phase::Ready);
    }
    assert!(world.flow.next_timer().is_some(), "it goes on asking");
}
