//! Pauses after failures.

use tokentoss_custody::{BackOff, Decision, Demand, Failure, Jitter, Outcome, Requester};

use crate::world::*;

fn failed(times: u32, jitter: u16) -> BackOff {
    (0..times)
        .fold(BackOff::default(), |pauses, _| pauses.failed(at(0), Failure::Overloaded, None, Jitter(jitter)))
}

#[test]
fn pauses_double_up_to_five_minutes() {
    let pauses = [1, 2, 3, 9, 10, 100].map(|times| failed(times, 0).next_attempt_at(at(0)));
    assert_eq!(pauses, [1, 2, 4, 256, 300, 300].map(|seconds| Some(at(seconds))));
}

#[test]
fn jitter_takes_up_to_a_quarter() {
    assert_eq!(failed(3, u16::MAX).next_attempt_at(at(0)), Some(at(3)));
}

#[test]
fn the_provider_s_wish_counts_up_to_an_hour() {
    let wish = |seconds| {
        let wished = Some(secs(seconds));
        BackOff::default().failed(at(0), Failure::Overloaded, wished, Jitter(0)).next_attempt_at(at(0))
    };
    assert_eq!((wish(90), wish(9_000_000)), (Some(at(90)), Some(at(3600))));
}

#[test]
fn a_transient_failure_changes_no_status_and_says_when() {
    let mut grant = grant();
    let held = hold(3700, &mut grant, 1);
    end(
        3701,
        &mut grant,
        &held,
        Outcome::Failed { failure: Failure::Overloaded, retry_after: Some(secs(60)) },
    );
    assert_eq!((grant.status.name(), grant.back_off.failures), ("active", 1));
    let refusal = refusal(ask(3702, &grant, &demand(3702)));
    assert_eq!((refusal.problem.code(), refusal.retry_after), ("provider_unavailable", Some(secs(59))));
    assert!(matches!(ask(3761, &grant, &demand(3761)), Decision::Refresh(_)));
}

#[test]
fn a_short_pause_is_waited_for() {
    let mut grant = grant();
    let held = hold(3700, &mut grant, 1);
    end(3701, &mut grant, &held, Outcome::failed(Failure::NotSent));
    assert_eq!(ask(3701, &grant, &demand(3701)), Decision::Wait { until: at(3702) });
    let hasty = Demand { requester: Requester::Caller { gives_up_at: at(3701) }, ..demand(3701) };
    assert_eq!(code(ask(3701, &grant, &hasty)), "provider_unavailable");
}

#[test]
fn a_success_ends_the_pauses() {
    let mut grant = grant();
    let held = hold(3700, &mut grant, 1);
    end(3701, &mut grant, &held, Outcome::failed(Failure::NotSent));
    let held = hold(3702, &mut grant, 2);
    end(3703, &mut grant, &held, Outcome::Renewed(renewed(3, None)));
    assert_eq!(grant.back_off, BackOff::default());
}

#[test]
fn a_token_that_has_ended_when_it_arrives_is_a_failure() {
    let mut grant = grant();
    let held = hold(3700, &mut grant, 1);
    let short = tokentoss_custody::Renewed { expires_in: Some(secs(5)), ..renewed(3, Some(4)) };
    end(3710, &mut grant, &held, Outcome::Renewed(short));
    assert_eq!((grant.refresh, grant.back_off.failure), (Some(token(4)), Some(Failure::DeadOnArrival)));
    let hasty = Demand { requester: Requester::Caller { gives_up_at: at(3710) }, ..demand(3710) };
    assert_eq!(code(ask(3710, &grant, &hasty)), "provider_misbehaved");
}
