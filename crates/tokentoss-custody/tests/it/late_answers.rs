//! Answers that come after the lease was lost.

use tokentoss_custody::{
    BackOff, CellId, Decision, ExpiredCause, Grant, Handle, Outcome, Renewed, Settlement, Status,
};

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
    assert_eq!(settle(at(3522), &grant, &late, &parameters()), Settlement::Nothing);
}

#[test]
fn a_late_invalid_grant_never_counts() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    hold(3520, &mut grant, 2);
    assert_eq!(settle(at(3521), &grant, &report(&first, DEAD), &parameters()), Settlement::Nothing);
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
    let update = tokentoss_custody::reconnect(
        at(3501),
        &grant,
        &sign_in,
        tokentoss_custody::Version(0),
        &parameters(),
    );
    assert!(update.apply(&mut grant));
    let late = report(&held, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!(settle(at(3502), &grant, &late, &parameters()), Settlement::Nothing);
}

#[test]
fn without_rotation_the_newer_access_token_stays() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &second, Outcome::Renewed(renewed(5, None)));
    let late = report(&first, Outcome::Renewed(renewed(3, None)));
    assert_eq!(settle(at(3522), &grant, &late, &parameters()), Settlement::Nothing);
}

#[test]
fn without_rotation_a_replay_much_later_leaves_the_newer_access_token() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3520, &mut grant, 2);
    end(3521, &mut grant, &second, Outcome::Renewed(renewed(5, None)));
    let replayed = report(&first, Outcome::Renewed(renewed(3, None)));
    assert_eq!(settle(at(5000), &grant, &replayed, &parameters()), Settlement::Nothing);
}

#[test]
fn a_token_that_waited_for_the_database_is_as_old_as_it_is() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(4100, &mut grant, &held, Outcome::Renewed(renewed(3, Some(4))));
    let access = grant.main().expect("a token");
    assert_eq!((access.obtained_at, access.expires_at), (at(3500), Some(at(7100))));
}

#[test]
fn a_token_that_ended_while_it_waited_is_no_failure_of_the_provider() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(9000, &mut grant, &held, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!((grant.refresh, grant.back_off), (Some(token(4)), BackOff::default()));
    assert!(matches!(ask(9000, &grant, &demand(9000)), Decision::Refresh(_)), "the next one at once");
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
    assert_eq!(settle(at(3523), &grant, &late, &parameters()), Settlement::Nothing);
}

/// The answer to a request with refresh token 2 that brings the same one again, in the cell that it had then.
fn echo(access: u8) -> Outcome {
    Outcome::Renewed(renewed(access, Some(2)))
}

#[test]
fn the_same_token_again_stays_in_the_cell_that_the_row_names_now() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    // The user signed in again meanwhile, and the provider gave the same refresh token; its old cell is gone.
    let again = Handle { cell: CellId(99), ..token(2) };
    let sign_in = tokentoss_custody::SignIn {
        tokens: Renewed { refresh: Some(again), ..renewed(7, None) },
        requested: grant.consented.clone(),
        assumed_life: secs(1800),
    };
    let update = tokentoss_custody::reconnect(
        at(3501),
        &grant,
        &sign_in,
        tokentoss_custody::Version(0),
        &parameters(),
    );
    assert!(update.apply(&mut grant));
    for outcome in [echo(3), Outcome::RotatedOnly(token(2))] {
        let after = match settle(at(3502), &grant, &report(&held, outcome), &parameters()) {
            Settlement::Update(update) => update.after,
            _ => grant.clone(),
        };
        assert_eq!(after.refresh, Some(again));
    }
}

#[test]
fn the_same_token_again_or_none_keeps_the_present_one() {
    for outcome in [echo(3), Outcome::Renewed(renewed(3, None)), Outcome::RotatedOnly(token(2))] {
        let mut grant = grant();
        let held = hold(3500, &mut grant, 1);
        end(3501, &mut grant, &held, outcome);
        assert_eq!((grant.status, grant.refresh), (Status::Active, Some(token(2))));
    }
}

#[test]
fn the_same_token_again_does_not_name_a_cell_that_its_death_deleted() {
    let mut grant = grant();
    let first = hold(3500, &mut grant, 1);
    let second = hold(3521, &mut grant, 2);
    end(3522, &mut grant, &second, DEAD);
    for outcome in [echo(3), Outcome::RotatedOnly(token(2))] {
        assert_eq!(settle(at(3523), &grant, &report(&first, outcome), &parameters()), Settlement::Nothing);
    }
}

#[test]
fn after_a_sign_out_the_same_token_again_is_not_queued_twice() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    let ended: Grant =
        tokentoss_custody::sign_out(&grant, tokentoss_custody::Revoker::User).expect("an end").after;
    let write = |outcome| settle(at(3501), &ended, &report(&held, outcome), &parameters());
    assert_eq!(write(echo(3)), Settlement::Revoke(vec![token(3)]));
    assert_eq!(write(Outcome::RotatedOnly(token(2))), Settlement::Nothing);
    assert_eq!(write(Outcome::Renewed(renewed(3, Some(4)))), Settlement::Revoke(vec![token(4)]));
}
