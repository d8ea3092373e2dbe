//! A ticket in a saved notebook, an export or a log is worth nothing.

use tokentoss_core::flow::{Flow, Input, Output, Phase, WindowId};
use tokentoss_core::{Secret, Ticket};
use tokentoss_sim::{LISTENER, Registration, START, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::forged;

#[test]
fn trust_1_it_holds_no_proof_and_the_product_itself_gets_only_a_question_with_it() {
    let mut world = World::new();
    let saved = world.kernel.ticket().to_string();
    for proof in world.kernel.proofs() {
        assert!(!saved.contains(&proof));
    }
    // The product's own page, run by a stranger with the saved ticket and without the kernel's comm.
    let ticket = Ticket::from_json(&saved, "https://evil.example").expect("a ticket");
    let (mut flow, mut rng) = (Flow::new(ticket), forged::rng());
    let window = WindowId(1);
    let ready = Secret::new(r#"{"type":"ready"}"#.into());
    for input in [
        Input::Connected,
        Input::SignIn,
        Input::PopupOpened { window },
        Input::Message { origin: LISTENER.into(), source: Some(window), text: ready },
    ] {
        flow.handle(START, input, &mut rng).expect("taken");
    }
    let mut posted = Vec::new();
    while let Some(output) = flow.poll() {
        if let Output::Post { message, .. } = output {
            posted.push(serde_json::from_str(message.expose()).expect("JSON"));
        }
    }
    let [start] = &posted[..] else { panic!("one start") };
    let answer = world.kernel.register(start, "https://evil.example", None, &mut rng);
    assert!(matches!(answer, Registration::Confirm(_)), "{answer:?}");
}

#[test]
fn trust_1_a_click_without_an_introduction_signs_in_from_the_own_server_and_after_a_yes_elsewhere() {
    for own in [true, false] {
        let mut world = World::with(|kernel| kernel.busy = true);
        world.kernel.own_origin = own.then(|| tokentoss_sim::PAGE.to_owned());
        world.sign_in();
        if !own {
            assert_eq!((world.phase(), world.problem()), (Phase::Waiting, Some("confirmation_awaited")));
            // Longer than any listener takes.
            world.pass(std::time::Duration::from_secs(60));
            assert_eq!(world.problem(), Some("confirmation_awaited"));
            world.confirm(true);
        }
        // The kernel is busy to the end: its listener took the envelope.
        assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1), "own: {own}");
    }
}

#[test]
fn trust_3_a_no_of_the_user_is_told() {
    let mut world = World::with(|kernel| kernel.busy = true);
    world.kernel.own_origin = None;
    world.sign_in();
    world.confirm(false);
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("page_refused")));
    assert_eq!(world.browser.open_windows(), 0);
}
