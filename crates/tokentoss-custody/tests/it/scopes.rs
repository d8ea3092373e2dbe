//! Scopes and audiences.

use tokentoss_custody::{Claim, Decision, Demand, LeaseOwner, MAX_TARGETS, Outcome, Scopes, Target};

use crate::world::*;

fn for_target(now: u64, scopes: &str, audience: Option<&str>) -> Demand {
    let target = Target { scopes: Scopes::read(scopes), audience: audience.map(String::from) };
    Demand { target, ..demand(now) }
}

fn claim_of(decision: Decision) -> Claim {
    match decision {
        Decision::Refresh(claim) => claim,
        other => panic!("no refresh: {other:?}"),
    }
}

#[test]
fn the_main_token_serves_whoever_wants_less() {
    assert_eq!(ask(0, &grant(), &for_target(0, "mail", None)), FRESH);
}

#[test]
fn what_nobody_consented_to_is_refused_without_a_request() {
    assert_eq!(code(ask(0, &grant(), &for_target(0, "mail admin", None))), "scope_missing");
}

#[test]
fn another_audience_gets_a_token_of_its_own() {
    let mut grant = grant();
    let wanted = for_target(60, "files", Some("storage"));
    let claim = claim_of(ask(60, &grant, &wanted));
    assert_eq!(claim.target, wanted.target);
    let held = claim.apply(at(60), tokentoss_custody::LeaseOwner(1), &mut grant).expect("a free lease");
    end(61, &mut grant, &held, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!(ask(62, &grant, &wanted), Decision::Serve { slot: 1, is_last_resort: false });
    assert_eq!(ask(62, &grant, &demand(62)), FRESH);
}

#[test]
fn a_refused_audience_is_not_asked_for_again_for_ten_minutes() {
    let mut grant = grant();
    let wanted = for_target(60, "", Some("storage"));
    let claim = claim_of(ask(60, &grant, &wanted));
    let held = claim.apply(at(60), tokentoss_custody::LeaseOwner(1), &mut grant).expect("a free lease");
    end(61, &mut grant, &held, Outcome::ScopeRefused);
    assert_eq!(code(ask(62, &grant, &wanted)), "scope_missing");
    assert_eq!(code(ask(660, &grant, &wanted)), "scope_missing");
    claim_of(ask(661, &grant, &wanted));
    assert_eq!(ask(62, &grant, &demand(62)), FRESH);
}

#[test]
fn a_provider_that_gives_less_is_not_asked_again_at_once() {
    let mut grant = grant();
    grant.tokens[0].access.as_mut().expect("a token").scopes = Scopes::read("openid");
    let wanted = for_target(60, "files", None);
    let claim = claim_of(ask(60, &grant, &wanted));
    let held = claim.apply(at(60), tokentoss_custody::LeaseOwner(1), &mut grant).expect("a free lease");
    let scopes = Some(Scopes::read("openid"));
    end(
        61,
        &mut grant,
        &held,
        Outcome::Renewed(tokentoss_custody::Renewed { scopes, ..renewed(3, Some(4)) }),
    );
    assert_eq!(code(ask(62, &grant, &wanted)), "scope_missing");
}

#[test]
fn the_oldest_of_too_many_targets_goes_and_never_the_main_one() {
    let mut grant = grant();
    let (first, most) = (60, MAX_TARGETS as u64);
    for number in 0..most {
        let now = first + number;
        let held = claim_of(ask(now, &grant, &for_target(now, "files", Some(&format!("audience-{number}")))))
            .apply(at(now), LeaseOwner(1), &mut grant)
            .expect("a free lease");
        // Every other one is refused, which takes a place as well.
        let outcome =
            if number % 2 == 0 { Outcome::Renewed(renewed(3, None)) } else { Outcome::ScopeRefused };
        end(now, &mut grant, &held, outcome);
        assert_eq!(grant.tokens.len(), MAX_TARGETS.min(number as usize + 2));
    }
    let has =
        |audience: &str| grant.tokens.iter().any(|slot| slot.target.audience.as_deref() == Some(audience));
    assert!(grant.main().is_some() && !has("audience-0") && has("audience-1"));
    assert!(has(&format!("audience-{}", most - 1)));
}
