//! A caller whose token was refused by a resource.

use tokentoss_custody::{Decision, Demand, Failure, Outcome};

use crate::world::*;

fn rejecting(now: u64, number: u8) -> Demand {
    Demand { rejected: Some(token(number).hash), ..demand(now) }
}

#[test]
fn the_current_token_is_refreshed() {
    assert!(matches!(ask(600, &grant(), &rejecting(600, 1)), Decision::Refresh(_)));
}

#[test]
fn an_older_token_is_replaced_by_the_current_one_without_a_request() {
    assert_eq!(ask(600, &grant(), &rejecting(600, 9)), FRESH);
}

#[test]
fn a_caller_cannot_force_refreshes_for_ever() {
    let refusal = refusal(ask(10, &grant(), &rejecting(10, 1)));
    assert_eq!((refusal.problem.code(), refusal.retry_after), ("rate_limited", Some(secs(20))));
}

#[test]
fn a_rejected_token_is_no_last_resort() {
    let mut grant = grant();
    let held = hold(3500, &mut grant, 1);
    end(3501, &mut grant, &held, Outcome::failed(Failure::Overloaded));
    let patient = Demand {
        requester: tokentoss_custody::Requester::Caller { gives_up_at: at(3501) },
        ..rejecting(3501, 1)
    };
    assert_eq!(code(ask(3501, &grant, &patient)), "provider_unavailable");
}
