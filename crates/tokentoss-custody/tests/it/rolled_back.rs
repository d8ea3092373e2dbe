//! A failover or a backup revives an old row.

use tokentoss_custody::{Context, Decision, ExpiredCause, Outcome, Version, confirm, decide};

use crate::world::*;

#[test]
fn a_version_below_the_journal_s_stops_everything_until_somebody_acts() {
    let mut grant = grant();
    let known = Context { known: Version(7), ..context() };
    let Decision::Correct(update) = decide(at(10), &grant, &demand(10), &known) else {
        panic!("no correction")
    };
    assert!(update.apply(&mut grant));
    assert_eq!(
        (grant.version, grant.status.name(), grant.status.cause()),
        (Version(8), "error", Some("rolled_back"))
    );
    let refusal = refusal(decide(at(3700), &grant, &demand(3700), &known));
    assert_eq!((refusal.problem.code(), refusal.cause), ("reauth_required", Some("rolled_back")));
    assert_eq!(code(decide(at(10), &grant, &demand(10), &known)), "reauth_required");
    assert!(confirm(&grant).expect("an error").apply(&mut grant));
    assert!(matches!(decide(at(3700), &grant, &demand(3700), &known), Decision::Refresh(_)));
}

#[test]
fn a_replayed_answer_is_newer_than_a_revived_row() {
    let mut row = grant();
    let old = row.clone();
    let held = hold(3500, &mut row, 1);
    end(3501, &mut row, &held, Outcome::Renewed(renewed(3, Some(4))));
    let held = hold(7000, &mut row, 2);
    let replayed = report(&held, Outcome::Renewed(renewed(5, Some(6))));
    let mut row = old;
    let update = update(settle(at(7001), &row, &replayed, &parameters()));
    assert!(update.apply(&mut row));
    assert_eq!((row.version, row.refresh), (Version(3), Some(token(6))));
    assert_eq!(row.status.cause(), Some("rolled_back"));
    assert!(confirm(&row).expect("an error").apply(&mut row));
    assert_eq!(ask(7010, &row, &demand(7010)), FRESH);
}

#[test]
fn what_the_provider_had_refused_cannot_be_confirmed() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(3501, &mut grant, &held, Outcome::Ended(ExpiredCause::InvalidGrant));
    let known = Context { known: Version(7), ..context() };
    let Decision::Correct(update) = decide(at(3510), &grant, &demand(3510), &known) else {
        panic!("no correction")
    };
    assert!(update.apply(&mut grant));
    assert_eq!((grant.status.cause(), confirm(&grant)), (Some("rolled_back"), None));
    assert_eq!(code(decide(at(3510), &grant, &demand(3510), &known)), "reauth_required");
}
