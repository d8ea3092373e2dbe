//! A caller who wants the ID token, as services behind an identity-aware proxy do.

use tokentoss_custody::{Credential, Decision, Demand, Grant, IdToken, MinTtl, Outcome, Renewed};

use crate::world::*;

fn with_id_token(number: u8, ends: u64) -> Grant {
    Grant { id_token: Some(IdToken { handle: token(number), expires_at: at(ends) }), ..grant() }
}

fn wanted(now: u64) -> Demand {
    Demand { credential: Credential::IdToken, ..demand(now) }
}

fn renew(now: u64, grant: &mut Grant, id_token: Option<IdToken>) {
    let Decision::Refresh(claim) = ask(now, grant, &wanted(now)) else { panic!("no refresh") };
    let held = claim.apply(at(now), tokentoss_custody::LeaseOwner(1), grant).expect("a free lease");
    let tokens = Renewed { id_token, ..renewed(3, Some(4)) };
    end(now, grant, &held, Outcome::Renewed(tokens));
}

#[test]
fn an_id_token_with_enough_lifetime_is_served() {
    assert_eq!(ask(600, &with_id_token(5, 3600), &wanted(600)), FRESH);
}

#[test]
fn an_id_token_that_expires_before_the_access_token_is_renewed() {
    let mut grant = with_id_token(5, 300);
    assert_eq!(ask(200, &grant, &demand(200)), FRESH, "the access token lives on");
    renew(280, &mut grant, Some(IdToken { handle: token(6), expires_at: at(580) }));
    assert_eq!(ask(290, &grant, &wanted(290)), FRESH);
}

#[test]
fn a_provider_that_gives_none_with_a_renewal_is_asked_once() {
    let mut grant = with_id_token(5, 300);
    renew(290, &mut grant, None);
    assert_eq!(code(ask(301, &grant, &wanted(301))), "id_token_missing");
    assert_eq!(ask(301, &grant, &demand(301)), FRESH, "the access token is served");
}

#[test]
fn a_sign_in_without_one_is_refused_at_once() {
    assert_eq!(code(ask(5, &grant(), &wanted(5))), "id_token_missing");
}

#[test]
fn a_rejected_id_token_is_renewed_with_a_limit() {
    let mut grant = with_id_token(5, 3600);
    let rejecting = |now, number| Demand { rejected: Some(token(number).hash), ..wanted(now) };
    assert!(matches!(ask(600, &grant, &rejecting(600, 5)), Decision::Refresh(_)));
    assert_eq!(ask(600, &grant, &rejecting(600, 1)), FRESH, "the access token is another one");
    let Decision::Refresh(claim) = ask(600, &grant, &rejecting(600, 5)) else { panic!("no refresh") };
    let held = claim.apply(at(600), tokentoss_custody::LeaseOwner(1), &mut grant).expect("a free lease");
    let id_token = Some(IdToken { handle: token(6), expires_at: at(4200) });
    end(601, &mut grant, &held, Outcome::Renewed(Renewed { id_token, ..renewed(3, Some(4)) }));
    assert_eq!(ask(602, &grant, &rejecting(602, 5)), FRESH);
    assert_eq!(code(ask(602, &grant, &rejecting(602, 6))), "rate_limited");
}

#[test]
fn a_life_that_no_id_token_has_is_refused() {
    let mut grant = with_id_token(5, 300);
    let long = |now| Demand { min_ttl: MinTtl::AtLeast(secs(1000)), ..wanted(now) };
    let Decision::Refresh(claim) = ask(290, &grant, &long(290)) else { panic!("no refresh") };
    let held = claim.apply(at(290), tokentoss_custody::LeaseOwner(1), &mut grant).expect("a free lease");
    let id_token = Some(IdToken { handle: token(6), expires_at: at(590) });
    end(290, &mut grant, &held, Outcome::Renewed(Renewed { id_token, ..renewed(3, Some(4)) }));
    assert_eq!(code(ask(291, &grant, &long(291))), "min_ttl_unreachable");
}
