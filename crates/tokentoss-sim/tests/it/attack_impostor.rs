//! Another program listens on the kernel's port, and answers whatever it likes.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{LISTENER, Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A world in which the kernel's listener is out of reach, and somebody else is there.
fn visited() -> World {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.user = User::Waits;
    world.input(Input::SignIn);
    let popup = world.popup();
    world.message(LISTENER, Some(popup), r#"{"type":"ready"}"#);
    world
}

fn answered(answer: &str) -> World {
    let mut world = visited();
    let popup = world.popup();
    let text = json!({"type": "registered", "answer": answer}).to_string();
    world.message(LISTENER, Some(popup), &text);
    world.settle();
    world
}

#[test]
fn trust_6_an_answer_that_is_not_the_kernels_leads_to_the_next_way_at_once() {
    for answer in ["", "AQID", "not base64url!", &"A".repeat(200), &"A".repeat(60_000)] {
        let mut world = answered(answer);
        assert_eq!((world.phase(), world.way(), world.problem()), (Phase::Waiting, Some(Way::Paste), None));
        assert_eq!(world.browser.windows.len(), 1, "the same popup");
        let popup = world.popup();
        assert_eq!(*world.browser.place(popup), Place::Provider);
        let address = world.honest_address();
        world.paste(&address);
        world.settle();
        assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
    }
}

#[test]
fn trust_6_the_port_is_not_tried_again_for_this_ticket() {
    let mut world = answered("AQID");
    world.input(Input::Cancel);
    world.kernel.reachable = true;
    world.shown.clear();
    world.sign_in();
    let ways: Vec<Way> = world.shown.iter().filter_map(|status| status.way).collect();
    assert!(!ways.contains(&Way::Loopback), "{ways:?}");
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));
}

#[test]
fn trust_6_what_it_is_told_is_sealed() {
    let world = visited();
    let starts: Vec<_> = world.posted.iter().filter(|message| message.contains("start")).collect();
    let [start] = &starts[..] else { panic!("one start") };
    for word in ["authorize", "state", "proof", "answer_key"] {
        assert!(!start.contains(word), "{word} in {start}");
    }
}

#[test]
fn trust_6_one_that_keeps_silent_or_asks_for_ever_does_not_block() {
    let mut world = visited();
    let popup = world.popup();
    for _ in 0..20 {
        world.message(LISTENER, Some(popup), r#"{"type":"confirming"}"#);
        world.pass(Duration::from_secs(20));
    }
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)), "five minutes at most");
}
