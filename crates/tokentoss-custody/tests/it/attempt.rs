//! What the holder of a lease sends.

use std::time::Duration;

use tokentoss_custody::{Attempt, DEADLINE, ExpiredCause, Failure, LEASE, Outcome, Step};

use crate::world::*;

fn attempt(secrets: usize) -> Attempt {
    Attempt::new(hold(3500, &mut grant(), 1), secrets)
}

fn send(secret: usize, seconds: u64) -> Step {
    Step::Send { secret, timeout: secs(seconds) }
}

/// Outcome, and whether an answer is unknown.
fn settled(step: Step) -> (Outcome, bool) {
    match step {
        Step::Settle(report) => (report.outcome, report.is_uncertain),
        other => panic!("not settled: {other:?}"),
    }
}

const LOST: Outcome = Outcome::failed(Failure::AnswerLost);

#[test]
fn the_deadline_ends_before_the_lease() {
    assert!(DEADLINE < LEASE);
    assert_eq!(attempt(1).begin(secs(2)), send(0, 10));
}

#[test]
fn nothing_is_sent_when_too_little_is_left() {
    assert_eq!(attempt(1).begin(secs(11)), send(0, 1));
    let late = DEADLINE - Duration::from_millis(999);
    assert_eq!(settled(attempt(1).begin(late)), (Outcome::failed(Failure::NotSent), false));
}

#[test]
fn the_secrets_are_tried_in_order() {
    let mut attempt = attempt(2);
    assert_eq!(attempt.answered(secs(1), Outcome::InvalidClient), send(1, 11));
    assert_eq!(settled(attempt.answered(secs(2), Outcome::InvalidClient)), (Outcome::InvalidClient, false));
}

#[test]
fn a_request_that_is_called_malformed_is_sent_again_at_once_for_another_target_alone() {
    const REFUSED: Outcome = Outcome::failed(Failure::RequestRefused);
    assert_eq!(settled(attempt(1).answered(secs(1), REFUSED)), (REFUSED, false));
    let mut other = Attempt::new(hold_for_storage(3500, &mut grant(), 1), 1);
    assert_eq!(other.answered(secs(1), REFUSED), send(0, 11));
    assert_eq!(settled(other.answered(secs(2), REFUSED)), (REFUSED, false));
}

#[test]
fn a_secret_that_there_was_no_time_for_is_not_blamed() {
    let outcome = settled(attempt(2).answered(secs(12), Outcome::InvalidClient)).0;
    assert_eq!(outcome, Outcome::failed(Failure::NotSent));
}

#[test]
fn the_same_token_is_sent_once_again_when_the_answer_is_lost() {
    for failure in [Failure::AnswerLost, Failure::NotSent, Failure::Unreadable] {
        let mut attempt = attempt(1);
        assert_eq!(attempt.answered(secs(1), Outcome::failed(failure)), send(0, 11));
        assert_eq!(settled(attempt.answered(secs(2), LOST)), (LOST, true));
    }
}

#[test]
fn a_lost_answer_at_the_deadline_stays_what_it_is() {
    assert_eq!(settled(attempt(1).answered(secs(12), LOST)), (LOST, true));
}

#[test]
fn invalid_grant_after_a_lost_answer_is_uncertain() {
    let mut attempt = attempt(1);
    assert_eq!(attempt.answered(secs(1), LOST), send(0, 11));
    let dead = Outcome::Ended(ExpiredCause::InvalidGrant);
    assert_eq!(settled(attempt.answered(secs(2), dead.clone())), (dead, true));
}

#[test]
fn a_provider_in_trouble_is_not_asked_again_at_once() {
    for failure in [Failure::Overloaded, Failure::ServerFailed, Failure::UnknownRefusal] {
        let outcome = Outcome::failed(failure);
        assert_eq!(settled(attempt(1).answered(secs(1), outcome.clone())).0, outcome);
    }
}

#[test]
fn a_takeover_knows_that_an_answer_may_be_missing() {
    let mut grant = grant();
    hold(3500, &mut grant, 1);
    let attempt = Attempt::new(hold(3520, &mut grant, 2), 1);
    assert!(settled(attempt.begin(DEADLINE)).1);
}
