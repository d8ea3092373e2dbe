//! Answers that come after the lease was lost.

use tokentoss_custody::{ExpiredCause, Outcome, Status, Write, settle};

use crate::world::*;

const DEAD: Outcome = Outcome::Ended(ExpiredCause::InvalidGrant);

#[test]
fn a_late_success_wins_over_the_death_that_a_successor_wrote() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &second, DEAD);
    assert_eq!(grant.status, Status::Expired(ExpiredCause::RefreshInterrupted));
    end(3522, &mut grant, &first, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!((grant.status, grant.refresh), (Status::Active, Some(token(4))));
    assert_eq!(ask(3530, &grant, &demand(3530)), FRESH);
}

#[test]
fn a_late_success_does_not_replace_what_a_successor_got() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &second, Outcome::Renewed(renewed(5, Some(6))));
    let late = report(&first, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!(settle(at(3522), &grant, &late, &terms()), Write::Nothing);
}

#[test]
fn a_late_death_never_counts() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    hold(3520, &mut grant, 2);
    assert_eq!(settle(at(3521), &grant, &report(&first, DEAD), &terms()), Write::Nothing);
}

#[test]
fn a_late_success_does_not_revive_another_sign_in() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    let sign_in = tokentoss_custody::SignIn {
        tokens: renewed(7, Some(8)),
        requested: grant.consented.clone(),
        assumed_life: secs(1800),
    };
    let update =
        tokentoss_custody::reconnect(at(3501), &grant, &sign_in, tokentoss_custody::Version(0), &terms());
    assert!(update.apply(&mut grant));
    let late = report(&held, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!(settle(at(3502), &grant, &late, &terms()), Write::Nothing);
}

#[test]
fn without_rotation_the_newer_access_token_stays() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &second, Outcome::Renewed(renewed(5, None)));
    let late = report(&first, Outcome::Renewed(renewed(3, None)));
    assert_eq!(settle(at(3522), &grant, &late, &terms()), Write::Nothing);
}

#[test]
fn without_rotation_a_late_success_leaves_the_successor_its_lease() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &first, Outcome::Renewed(renewed(3, None)));
    assert_eq!(grant.lease.map(|lease| lease.owner), Some(second.owner));
    assert_eq!(ask(3522, &grant, &demand(3522)), FRESH);
    end(3523, &mut grant, &second, DEAD);
    assert_eq!(grant.lease, None);
    assert_eq!(grant.status, Status::Expired(ExpiredCause::RefreshInterrupted));
}

#[test]
fn without_rotation_a_late_success_leaves_a_dead_grant_dead() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3521, &mut grant, 2);
    end(3522, &mut grant, &second, Outcome::Ended(ExpiredCause::InvalidGrant));
    let late = report(&first, Outcome::Renewed(renewed(3, None)));
    assert_eq!(settle(at(3523), &grant, &late, &terms()), Write::Nothing);
}
