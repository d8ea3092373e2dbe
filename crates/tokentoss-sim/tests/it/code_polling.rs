//! How often the token endpoint is asked for a code that is entered on any device (RFC 8628 section 3.5).

use std::time::Duration;

use serde_json::json;
use tokentoss_core::Timestamp;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Answer, Entered, START, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn showing() -> World {
    let mut world = World::new();
    world.input(Input::AskForCode);
    world.settle();
    world
}

/// The seconds between polls, for as long as is said.
fn pauses(world: &mut World, polls: usize) -> Vec<u64> {
    let mut pauses = Vec::new();
    for _ in 0..polls {
        let due = world.flow.next_timer().expect("a poll");
        pauses.push((due.as_millis() - world.now.as_millis()) / 1000);
        world.now = due;
        world.input(Input::TimerFired);
        world.settle();
    }
    pauses
}

#[test]
fn every_slow_down_lengthens_the_pause_for_good() {
    let mut world = showing();
    world.provider.device.slow_downs = 2;
    assert_eq!(pauses(&mut world, 5), [5, 10, 15, 15, 15]);
}

#[test]
fn the_providers_own_interval_is_kept_and_is_a_second_at_least() {
    for (interval, pause) in [(json!(2), 2), (json!("7"), 7), (json!(0), 1), (json!(-3), 5), (json!("x"), 5)]
    {
        let mut world = World::new();
        world.provider.device.answer = Answer::Raw(
            200,
            json!({
                "device_code": "d", "user_code": "U", "verification_uri": "https://as.example/d",
                "expires_in": 600, "interval": interval,
            })
            .to_string(),
        );
        world.input(Input::AskForCode);
        world.settle();
        assert_eq!(pauses(&mut world, 1), [pause], "{interval}");
    }
}

#[test]
fn failures_that_pass_double_the_pause_up_to_a_minute() {
    for answer in [Answer::Unreachable, Answer::Raw(503, "<html>".into()), Answer::Raw(200, "<html>".into())]
    {
        let mut world = showing();
        world.provider.answer = answer;
        assert_eq!(pauses(&mut world, 6), [5, 10, 20, 40, 60, 60]);
        assert_eq!(world.phase(), Phase::Code);
        world.provider.answer = Answer::Honest;
        assert_eq!(pauses(&mut world, 2), [60, 5]);
    }
}

#[test]
fn a_poll_without_an_answer_is_given_up_and_repeated() {
    let mut world = showing();
    world.provider.answer = Answer::Silent;
    // The pause, the patience with the answer, then twice the pause.
    assert_eq!(pauses(&mut world, 3), [5, 30, 10]);
    assert_eq!(world.provider.token_requests.len(), 2);
}

#[test]
fn a_refusal_ends_it() {
    for (body, problem) in [
        (r#"{"error":"expired_token"}"#, "expired_token"),
        (r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (r#"{"error":"invalid_client"}"#, "invalid_client"),
        (r#"{"error":"no_such_error"}"#, "provider_error"),
        (r#"{"error":7}"#, "provider_error"),
        ("{}", "token_endpoint_failed"),
    ] {
        let mut world = showing();
        world.provider.answer = Answer::Raw(400, body.into());
        world.pass(Duration::from_secs(6));
        assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some(problem)), "{body}");
        assert_eq!(world.provider.token_requests.len(), 1);
    }
}

#[test]
fn a_code_that_lives_too_long_ends_after_an_hour() {
    let mut world = World::new();
    world.provider.device.tamper = |answer| drop(answer.insert("expires_in".into(), json!(1e9)));
    world.input(Input::AskForCode);
    world.pass(Duration::from_secs(3599));
    assert_eq!(world.phase(), Phase::Code);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.problem(), Some("expired_token"));
}

#[test]
fn a_machine_that_slept_past_the_end_asks_no_more() {
    let mut world = showing();
    let polls = world.provider.token_requests.len();
    world.provider.device.entered = Entered::Accepted;
    world.sleep(Duration::from_secs(7200));
    assert_eq!((world.problem(), world.provider.token_requests.len()), (Some("expired_token"), polls));
}

#[test]
fn a_machine_that_slept_for_a_while_goes_on() {
    let mut world = showing();
    world.provider.device.entered = Entered::Accepted;
    world.sleep(Duration::from_secs(300));
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_clock_that_is_put_back_neither_stops_it_nor_lengthens_the_code() {
    let mut world = showing();
    world.pass(Duration::from_secs(11));
    let polls = world.provider.token_requests.len();
    world.now = Timestamp::from_millis(START.as_millis() - 86_400_000);
    // The browser's timer fires all the same.
    world.input(Input::TimerFired);
    let left = world.flow.next_timer().expect("a poll").as_millis() - world.now.as_millis();
    assert!(left <= 5000, "{left}");
    let ends = world.flow.status().code.as_ref().expect("a code").expires_at;
    assert!((ends - world.now.as_secs()) <= 600, "the countdown follows the clock");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.provider.token_requests.len(), polls + 1);
    world.pass(Duration::from_secs(600));
    assert_eq!(world.problem(), Some("expired_token"));
}
