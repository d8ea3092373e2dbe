//! Sealed tokens reach the kernel once, whatever gets lost on the way.

use std::time::Duration;

use tokentoss_core::flow::{Input, KernelRefusal, Phase};
use tokentoss_sim::{Channel, Taken, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn an_envelope_that_got_lost_is_sent_again() {
    let mut world = World::handing_over();
    world.in_trait.clear();
    world.kernel.busy = false;
    world.pass(Duration::from_secs(3));
    assert_eq!(world.deliveries, 2);
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
}

#[test]
fn a_busy_kernel_is_waited_for_without_flooding_it() {
    let mut world = World::handing_over();
    world.pass(Duration::from_secs(600));
    assert_eq!(world.phase(), Phase::HandingOver);
    assert!(world.deliveries < 30, "{}", world.deliveries);
    world.kernel.busy = false;
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
    assert!(world.kernel.refused > 0, "repeated envelopes are refused");
}

#[test]
fn a_kernel_that_never_answers_is_given_up() {
    let mut world = World::handing_over();
    world.pass(Duration::from_secs(3601));
    assert_eq!(world.problem(), Some("hand_over_timed_out"));
}

#[test]
fn a_refusal_is_shown_in_the_kernels_words() {
    let mut world = World::handing_over();
    let refusal = KernelRefusal {
        code: "id_token_signature_invalid".into(),
        message: "The signature is wrong.".into(),
    };
    let ticket_id = world.kernel.ticket_id().to_owned();
    world.input(Input::Acknowledged { ticket_id, refusal: Some(refusal) });
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("id_token_signature_invalid")));
    let message = world.flow.status().problem.as_ref().expect("a problem").message();
    assert_eq!(message, "The signature is wrong.");
    world.sign_in();
    assert_eq!(world.browser.windows.len(), 1, "a spent ticket opens no popup");
}

#[test]
fn an_acknowledgement_of_another_ticket_is_ignored() {
    let mut world = World::handing_over();
    world.input(Input::Acknowledged { ticket_id: "another".into(), refusal: None });
    assert_eq!(world.phase(), Phase::HandingOver);
}

#[test]
fn a_page_in_another_tab_finished_the_sign_in() {
    let mut world = World::at_provider();
    let ticket_id = world.kernel.ticket_id().to_owned();
    world.input(Input::Acknowledged { ticket_id, refusal: None });
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn c71_a_second_envelope_is_refused() {
    let mut world = World::handing_over();
    world.kernel.busy = false;
    let envelope = world.in_trait[0].clone();
    world.settle();
    assert_eq!(world.kernel.tokens.len(), 1);
    assert!(matches!(world.kernel.take(&envelope, Channel::Comm), Taken::Nothing));
    assert_eq!(world.kernel.tokens.len(), 1);
}
