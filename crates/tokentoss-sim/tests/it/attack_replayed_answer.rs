//! An answer of the kernel is shown to the page again, for another attempt.

use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{LISTENER, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn trust_6_an_answer_to_an_earlier_attempt_is_nobodys() {
    let mut world = World::at_provider();
    let heard = world.heard.iter().find(|text| text.contains("registered")).cloned().expect("an answer");
    world.input(Input::Cancel);
    world.kernel.reachable = false;
    world.user = User::Waits;
    world.input(Input::SignIn);
    let popup = world.popup();
    world.message(LISTENER, Some(popup), r#"{"type":"ready"}"#);
    world.message(LISTENER, Some(popup), &heard);
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));
}

#[test]
fn trust_5_an_envelope_is_taken_once() {
    let mut world = World::new();
    world.browser.severs_openers = true;
    world.sign_in();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
    let envelope = world.comm.iter().rev().find(|text| !text.starts_with('{')).cloned().expect("an envelope");
    for channel in [tokentoss_sim::Channel::Comm, tokentoss_sim::Channel::Listener] {
        assert_eq!(world.kernel.take(&envelope, channel), tokentoss_sim::Taken::Nothing);
    }
    assert_eq!(world.kernel.tokens.len(), 1);
}
