//! One lease at a time; every write is fenced by it.

use tokentoss_custody::{Decision, Demand, Failure, LeaseOwner, Outcome, Settlement, release_lease};

use crate::world::*;

#[test]
fn of_two_claims_one_matches() {
    let mut grant = grant();
    let claim = claim(3500, &grant);
    assert!(claim.apply(at(3500), LeaseOwner(1), &mut grant).is_some());
    assert!(claim.apply(at(3519), LeaseOwner(2), &mut grant).is_none());
}

#[test]
fn the_loser_waits_at_most_until_the_lease_ends() {
    let mut grant = grant();
    hold(3599, &mut grant, 1);
    assert_eq!(ask(3599, &grant, &demand(3599)), Decision::Wait { until: at(3604) });
    assert_eq!(ask(3615, &grant, &demand(3615)), Decision::Wait { until: at(3619) });
}

#[test]
fn a_caller_without_patience_is_told_when_to_come_again() {
    let mut grant = grant();
    hold(3599, &mut grant, 1);
    let refusal = refusal(ask(3610, &grant, &demand(3605)));
    assert_eq!((refusal.problem.code(), refusal.retry_after), ("refresh_busy", Some(secs(9))));
}

#[test]
fn the_loser_gets_what_is_still_valid() {
    let mut grant = grant();
    hold(3500, &mut grant, 1);
    assert_eq!(ask(3500, &grant, &demand(3500)), LAST_RESORT);
}

#[test]
fn the_lease_is_taken_over_with_the_same_token_and_the_first_time() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    assert_eq!(second.claim.refresh, first.claim.refresh);
    assert!(second.claim.is_repeated && !first.claim.is_repeated);
    assert_eq!(second.claim.intent.at, at(3500));
}

#[test]
fn the_scheduler_takes_over_as_soon_as_the_lease_ends() {
    let mut grant = grant();
    hold(3500, &mut grant, 1);
    assert_eq!(ask(3510, &grant, &Demand::for_scheduler()), Decision::Rest { until: Some(at(3520)) });
    assert!(matches!(ask(3520, &grant, &Demand::for_scheduler()), Decision::Refresh(_)));
}

#[test]
fn an_overdue_holder_writes_no_failure_and_frees_nothing() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    hold(3520, &mut grant, 2);
    for outcome in [Outcome::failed(Failure::ServerFailed), Outcome::InvalidClient, Outcome::CellUnreadable] {
        assert_eq!(settle(at(3521), &grant, &report(&first, outcome), &parameters()), Settlement::Nothing);
    }
}

#[test]
fn an_update_of_an_old_version_does_not_match() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    let late = update(settle(
        at(3501),
        &grant,
        &report(&held, Outcome::Renewed(renewed(3, Some(4)))),
        &parameters(),
    ));
    end(3501, &mut grant, &held, Outcome::failed(Failure::NotSent));
    assert!(!late.apply(&mut grant));
}

#[test]
fn a_lease_that_was_given_back_leaves_the_row_as_it_was() {
    let mut grant = grant();
    let before = grant.clone();
    let held = hold(3500, &mut grant, 1);
    let stranger = tokentoss_custody::HeldLease { owner: LeaseOwner(2), ..held.clone() };
    assert_eq!(release_lease(&grant, &stranger), None, "only by its holder");
    assert!(release_lease(&grant, &held).expect("a lease").apply(&mut grant));
    assert_eq!(grant, before);
    assert_eq!(release_lease(&grant, &held), None, "once");
    // An earlier request with this token may have been sent.
    hold(3500, &mut grant, 1);
    let second = hold(3521, &mut grant, 2);
    assert!(release_lease(&grant, &second).expect("a lease").apply(&mut grant));
    assert_eq!((grant.lease, grant.intent.map(|intent| intent.at)), (None, Some(at(3500))));
}
