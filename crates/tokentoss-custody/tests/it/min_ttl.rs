//! The life that a token must have left.

use tokentoss_custody::{Decision, Demand, Failure, MinTtl, Outcome};

use crate::world::*;

fn at_least(now: u64, seconds: u64) -> Demand {
    Demand { min_ttl: MinTtl::AtLeast(secs(seconds)), ..demand(now) }
}

#[test]
fn the_default_is_four_minutes() {
    assert_eq!(ask(3360, &grant(), &demand(3360)), FRESH);
    assert!(matches!(ask(3361, &grant(), &demand(3361)), Decision::Refresh(_)));
}

#[test]
fn a_short_lived_token_is_used_for_two_thirds_of_its_life() {
    let mut grant = grant();
    grant.tokens[0].access.as_mut().expect("a token").expires_at = Some(at(90));
    assert_eq!(ask(60, &grant, &demand(60)), FRESH);
    assert!(matches!(ask(61, &grant, &demand(61)), Decision::Refresh(_)));
}

#[test]
fn each_caller_has_its_own_min_ttl() {
    assert_eq!(ask(600, &grant(), &at_least(600, 3000)), FRESH);
    assert!(matches!(ask(601, &grant(), &at_least(601, 3000)), Decision::Refresh(_)));
}

#[test]
fn more_than_the_provider_gives_is_refused_without_a_request() {
    assert_eq!(code(ask(600, &grant(), &at_least(600, 3241))), "min_ttl_unreachable");
}

#[test]
fn a_caller_that_names_a_life_gets_no_last_resort() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    let refuse = Outcome::Failed { failure: Failure::Overloaded, retry_after: Some(secs(60)) };
    end(3501, &mut grant, &held, refuse);
    assert_eq!(ask(3502, &grant, &demand(3502)), LAST_RESORT);
    let refusal = refusal(ask(3502, &grant, &at_least(3502, 240)));
    assert_eq!((refusal.problem.code(), refusal.retry_after), ("provider_unavailable", Some(secs(59))));
}

#[test]
fn ten_seconds_is_the_least_for_everybody() {
    let mut grant = grant();
    hold(3580, &mut grant, 1);
    assert_eq!(ask(3590, &grant, &demand(3590)), LAST_RESORT);
    assert!(matches!(ask(3591, &grant, &demand(3591)), Decision::Wait { .. }));
}

#[test]
fn an_unknown_life_is_assumed() {
    let mut grant = grant();
    grant.tokens[0].access.as_mut().expect("a token").expires_at = None;
    assert_eq!(ask(1560, &grant, &demand(1560)), FRESH);
    assert!(matches!(ask(1561, &grant, &demand(1561)), Decision::Refresh(_)));
}

#[test]
fn without_a_refresh_token_an_unknown_life_has_no_end() {
    let mut grant = grant();
    grant.refresh = None;
    grant.tokens[0].access.as_mut().expect("a token").expires_at = None;
    assert_eq!(ask(400 * DAY, &grant, &demand(0)), FRESH);
}
