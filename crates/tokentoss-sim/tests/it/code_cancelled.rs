//! A code that was cancelled never signs in, whenever it was.

use std::time::Duration;

use tokentoss_core::Secret;
use tokentoss_core::flow::{Input, Phase, RequestId};
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_sim::{Entered, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn answer(world: &mut World, request: u32, body: &str) {
    let answer = EndpointAnswer { status: 200, body: Secret::new(body.into()) };
    world.input(Input::Answered { request: RequestId(request), answer });
}

#[test]
fn cancel_before_the_user_code_arrives() {
    let mut world = World::new();
    world.input(Input::AskForCode);
    world.input(Input::Cancel);
    world.settle();
    assert_eq!((world.phase(), world.flow.next_timer()), (Phase::Ready, None));
    assert!(world.shown.iter().all(|status| status.code.is_none()));
    let late =
        r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/d","expires_in":9}"#;
    answer(&mut world, 1, late);
    assert_eq!(world.phase(), Phase::Ready);
}

#[test]
fn between_two_polls_and_during_one() {
    for during in [false, true] {
        let mut world = World::new();
        world.input(Input::AskForCode);
        world.settle();
        world.provider.device.entered = Entered::Accepted;
        if during {
            world.now = world.flow.next_timer().expect("a poll");
            world.input(Input::TimerFired);
            assert_eq!(world.provider.token_requests.len(), 1);
        }
        world.input(Input::Cancel);
        world.pass(Duration::from_secs(3600));
        assert_eq!((world.phase(), world.deliveries), (Phase::Ready, 0));
        assert_eq!(world.provider.token_requests.len(), usize::from(during));
    }
}

#[test]
fn an_answer_to_the_poll_before_is_dropped() {
    let mut world = World::new();
    world.input(Input::AskForCode);
    world.settle();
    for request in [0, 1, 3] {
        answer(&mut world, request, r#"{"error":"access_denied"}"#);
        assert_eq!(world.phase(), Phase::Code, "there is no poll under way");
    }
    world.now = world.flow.next_timer().expect("a poll");
    world.input(Input::TimerFired);
    answer(&mut world, 1, r#"{"error":"access_denied"}"#);
    assert_eq!(world.phase(), Phase::Code);
    world.input(Input::Unanswered { request: RequestId(1) });
    world.settle();
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Code, 1));
}

#[test]
fn the_kernel_is_gone_or_has_decided() {
    for during in [false, true] {
        for input in [true, false] {
            let mut world = World::new();
            world.input(Input::AskForCode);
            if during {
                world.settle();
            }
            let ticket_id = world.kernel.ticket_id().to_owned();
            world.input(if input {
                Input::KernelLost
            } else {
                Input::Acknowledged { ticket_id, refusal: None }
            });
            world.provider.device.entered = Entered::Accepted;
            world.pass(Duration::from_secs(3600));
            let phase = if input { Phase::Failed } else { Phase::Done };
            assert_eq!((world.phase(), world.deliveries, world.flow.next_timer()), (phase, 0, None));
            assert!(world.provider.token_requests.is_empty());
        }
    }
}
