//! A sign-out is final.

use tokentoss_custody::{Outcome, Revoker, Settlement, Status, sign_out};

use crate::world::*;

#[test]
fn a_sign_out_clears_the_row_and_queues_the_refresh_token() {
    let mut grant = grant();
    hold(3500, &mut grant, 1);
    let update = sign_out(&grant, Revoker::User).expect("a first sign-out");
    assert_eq!(update.revoke, [token(2)]);
    assert!(update.apply(&mut grant));
    assert_eq!(grant.status, Status::Revoked(Revoker::User));
    assert!(grant.tokens.is_empty() && grant.refresh.is_none() && grant.lease.is_none());
    assert_eq!(code(ask(10, &grant, &demand(10))), "not_connected");
    assert_eq!(sign_out(&grant, Revoker::Admin), None);
}

#[test]
fn tokens_that_come_later_go_to_the_revocation_queue() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    assert!(sign_out(&grant, Revoker::Admin).expect("a first sign-out").apply(&mut grant));
    for (outcome, revoked) in [
        (Outcome::Renewed(renewed(3, Some(4))), 4),
        (Outcome::Renewed(renewed(3, None)), 3),
        (Outcome::RotatedOnly(token(4)), 4),
    ] {
        let write = settle(at(3501), &grant, &report(&held, outcome), &parameters());
        assert_eq!(write, Settlement::Revoke(vec![token(revoked)]));
    }
}

#[test]
fn without_a_refresh_token_the_access_tokens_are_queued() {
    let mut grant = grant();
    grant.refresh = None;
    assert_eq!(sign_out(&grant, Revoker::User).expect("a first sign-out").revoke, [token(1)]);
}
