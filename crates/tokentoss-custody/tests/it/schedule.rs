//! When the scheduler refreshes.

use tokentoss_custody::{Decision, Demand, Failure, Grant, Jitter, Outcome, Schedule};

use crate::world::*;

#[test]
fn used_grants_at_two_thirds_of_their_life_or_a_tenth_earlier() {
    let at_jitter = |jitter| Schedule::after(at(0), secs(3600), secs(60 * DAY), Jitter(jitter)).refresh_at;
    assert_eq!((at_jitter(0), at_jitter(u16::MAX)), (at(2400), at(2040)));
}

#[test]
fn idle_grants_before_the_provider_forgets_them() {
    let idle = Grant { used_at: at(0), renewed_at: at(1), ..grant() };
    let ask = |days: u64| ask(days * DAY, &idle, &Demand::for_scheduler());
    assert_eq!(ask(39), Decision::Rest { until: Some(at(40 * DAY)) });
    assert!(matches!(ask(40), Decision::Refresh(_)));
}

#[test]
fn a_used_grant_is_refreshed_before_its_token_ends() {
    assert_eq!(ask(2399, &grant(), &Demand::for_scheduler()), Decision::Rest { until: Some(at(2400)) });
    assert!(matches!(ask(2400, &grant(), &Demand::for_scheduler()), Decision::Refresh(_)));
}

#[test]
fn an_unknown_expiry_is_scheduled_by_the_assumed_life() {
    let mut grant = grant();
    let held = hold(3600, &mut grant, 1);
    let untold = tokentoss_custody::Renewed { expires_in: None, ..renewed(3, None) };
    end(3600, &mut grant, &held, Outcome::Renewed(untold));
    assert_eq!(grant.schedule.refresh_at, at(3600 + 1200));
}

#[test]
fn a_lost_answer_is_asked_for_again_after_the_pause_even_for_an_idle_grant() {
    let mut grant = grant();
    let held = hold(3600, &mut grant, 1);
    grant.renewed_at = at(3599);
    let outcome = Outcome::failed(Failure::AnswerLost);
    let report = tokentoss_custody::AttemptReport { held, outcome, is_uncertain: true };
    let update = update(settle(at(3612), &grant, &report, &parameters()));
    assert!(update.apply(&mut grant));
    assert_eq!(ask(3612, &grant, &Demand::for_scheduler()), Decision::Rest { until: Some(at(3613)) });
    assert!(matches!(ask(3613, &grant, &Demand::for_scheduler()), Decision::Refresh(_)));
}

#[test]
fn nothing_is_scheduled_where_only_a_person_can_help() {
    let mut grant = grant();
    let held = hold(3600, &mut grant, 1);
    end(3601, &mut grant, &held, Outcome::InvalidClient);
    assert_eq!(ask(9000, &grant, &Demand::for_scheduler()), Decision::Rest { until: None });
}
