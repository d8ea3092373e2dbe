//! What each refusal of the provider does to the grant, and what callers are told.

use tokentoss_custody::{
    AttemptReport, BackOff, ClientRevision, Context, Decision, Demand, ExpiredCause, Failure, MAX_REFUSALS,
    Outcome, Version, decide,
};

use crate::world::*;

/// Status, cause and code after an outcome, once the access token has ended.
fn after(outcome: Outcome) -> (&'static str, Option<&'static str>, &'static str) {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(3501, &mut grant, &held, outcome);
    let later = tokentoss_custody::Requester::Caller { gives_up_at: at(0) };
    let demand = tokentoss_custody::Demand { requester: later, rejected: Some(token(1).hash), ..demand(0) };
    (grant.status.name(), grant.status.cause(), code(ask(3501, &grant, &demand)))
}

#[test]
fn dead_and_policy_refusals_end_the_grant() {
    for (cause, name) in [
        (ExpiredCause::InvalidGrant, "invalid_grant"),
        (ExpiredCause::InteractionRequired, "interaction_required"),
        (ExpiredCause::ConsentRequired, "consent_required"),
        (ExpiredCause::LoginRequired, "login_required"),
        (ExpiredCause::AccessDenied, "access_denied"),
    ] {
        assert_eq!(after(Outcome::Ended(cause)), ("expired", Some(name), "reauth_required"));
    }
}

#[test]
fn a_refused_client_is_the_administrator_s_error() {
    assert_eq!(after(Outcome::InvalidClient), ("error", Some("invalid_client"), "client_misconfigured"));
    assert_eq!(
        after(Outcome::UnauthorizedClient),
        ("error", Some("unauthorized_client"), "client_misconfigured")
    );
}

#[test]
fn an_unreadable_cell_is_an_error() {
    assert_eq!(after(Outcome::CellUnreadable), ("error", Some("cell_unreadable"), "key_unavailable"));
}

#[test]
fn other_failures_do_not_change_the_status() {
    for failure in [Failure::NotSent, Failure::AnswerLost, Failure::Overloaded, Failure::ServerFailed] {
        assert_eq!(after(Outcome::failed(failure)), ("active", None, "provider_unavailable"));
    }
    for failure in [Failure::Unreadable, Failure::UnknownRefusal, Failure::RequestRefused] {
        assert_eq!(after(Outcome::failed(failure)), ("active", None, "provider_misbehaved"));
    }
    assert_eq!(after(Outcome::ScopeRefused), ("active", None, "provider_misbehaved"));
    assert_eq!(after(Outcome::RotatedOnly(token(4))), ("active", None, "provider_misbehaved"));
}

#[test]
fn a_corrected_client_is_tried_at_once() {
    let mut grant = grant();
    let held = hold(3600, &mut grant, 1);
    end(3601, &mut grant, &held, Outcome::InvalidClient);
    assert_eq!(code(ask(3602, &grant, &demand(3602))), "client_misconfigured");
    let corrected = Context { client_revision: ClientRevision(2), known: Version(0) };
    assert!(matches!(decide(at(3602), &grant, &demand(3602), &corrected), Decision::Refresh(_)));
}

#[test]
fn what_is_said_of_another_target_does_not_end_the_grant() {
    for refused in [
        Outcome::Ended(ExpiredCause::InvalidGrant),
        Outcome::Ended(ExpiredCause::ConsentRequired),
        Outcome::failed(Failure::RequestRefused),
        Outcome::ScopeRefused,
    ] {
        let mut grant = grant();
        let held = hold_for_storage(100, &mut grant, 1);
        end(101, &mut grant, &held, refused.clone());
        assert_eq!((grant.status.name(), grant.refresh), ("active", Some(token(2))), "{refused:?}");
        assert_eq!(grant.back_off, BackOff::default(), "the main token goes on");
        let demand = Demand { target: storage(), ..demand(102) };
        assert_eq!(code(ask(102, &grant, &demand)), "scope_missing");
        assert!(matches!(ask(702, &grant, &Demand { target: storage(), ..demand }), Decision::Refresh(_)));
        // Where it may be the grant, the main token's refresh is to tell.
        let is_asked = matches!(ask(102, &grant, &Demand::for_scheduler()), Decision::Refresh(_));
        assert_eq!(is_asked, matches!(refused, Outcome::Ended(_)), "{refused:?}");
    }
}

#[test]
fn only_attempts_that_are_called_malformed_one_after_another_end_the_grant() {
    const REFUSED: Outcome = Outcome::failed(Failure::RequestRefused);
    let mut grant = grant();
    let refuse = |grant: &mut tokentoss_custody::Grant, outcome: Outcome| {
        let now = 4000 + grant.version.0 * 600;
        let held = hold(now, grant, 1);
        end(now, grant, &held, outcome);
        grant.status.cause()
    };
    for _ in 1..MAX_REFUSALS {
        assert_eq!(refuse(&mut grant, REFUSED), None);
    }
    assert_eq!(refuse(&mut grant, Outcome::failed(Failure::NotSent)), None);
    assert_eq!(refuse(&mut grant, REFUSED), None, "another failure came in between");
    assert_eq!(refuse(&mut grant, REFUSED), Some("grant_forgotten"));
}

#[test]
fn an_ended_grant_serves_what_is_still_valid() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(3501, &mut grant, &held, Outcome::Ended(ExpiredCause::InvalidGrant));
    assert_eq!(ask(3501, &grant, &demand(3501)), LAST_RESORT);
    assert_eq!(code(ask(3600, &grant, &demand(3600))), "reauth_required");
}

#[test]
fn invalid_grant_after_a_lost_answer_has_its_own_cause() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    let outcome = Outcome::Ended(ExpiredCause::InvalidGrant);
    let report = AttemptReport { held, outcome, is_uncertain: true };
    assert!(update(settle(at(3501), &grant, &report, &parameters())).apply(&mut grant));
    assert_eq!(grant.status.cause(), Some("refresh_interrupted"));
}

#[test]
fn a_rotated_refresh_token_is_kept_although_the_answer_is_of_no_use() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(3501, &mut grant, &held, Outcome::RotatedOnly(token(4)));
    assert_eq!((grant.refresh, grant.intent, grant.back_off.failures), (Some(token(4)), None, 1));
}

#[test]
fn without_a_refresh_token_the_grant_ends_with_its_access_token() {
    let mut grant = grant();
    grant.refresh = None;
    assert_eq!(code(ask(3599, &grant, &at_once(3599))), "reauth_required");
    let Decision::Correct(update) = ask(3600, &grant, &demand(3600)) else { panic!("no correction") };
    assert!(update.apply(&mut grant));
    let refusal = refusal(ask(3600, &grant, &demand(3600)));
    assert_eq!((refusal.problem.code(), refusal.cause), ("reauth_required", Some("refresh_token_missing")));
}

fn at_once(now: u64) -> tokentoss_custody::Demand {
    tokentoss_custody::Demand { rejected: Some(token(1).hash), ..demand(now) }
}
