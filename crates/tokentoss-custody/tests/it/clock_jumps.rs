//! The clock is put forward or back.

use tokentoss_custody::{Decision, Demand, Failure, Outcome};

use crate::world::*;

#[test]
fn a_lease_from_the_future_is_cut_to_a_whole_one() {
    let mut grant = grant();
    hold(7200, &mut grant, 1);
    let Decision::Correct(update) = ask(3700, &grant, &demand(3700)) else { panic!("no correction") };
    assert!(update.apply(&mut grant));
    let lease = grant.lease.expect("the same holder");
    assert_eq!((lease.owner.0, lease.until), (1, at(3720)));
    assert!(matches!(ask(3720, &grant, &demand(3720)), Decision::Refresh(_)));
}

#[test]
fn a_pause_from_the_future_is_over() {
    let mut grant = grant();
    let held = hold(7200, &mut grant, 1);
    end(
        7200,
        &mut grant,
        &held,
        Outcome::Failed { failure: Failure::Overloaded, retry_after: Some(secs(900)) },
    );
    grant.tokens[0].access = None;
    assert!(matches!(ask(6900, &grant, &demand(6900)), Decision::Refresh(_)));
}

#[test]
fn nothing_is_said_about_the_life_of_a_token_from_the_future() {
    let mut grant = grant();
    let held = hold(7200, &mut grant, 1);
    end(7201, &mut grant, &held, Outcome::Renewed(renewed(3, Some(4))));
    assert_eq!(ask(7196, &grant, &demand(7196)), FRESH);
    assert!(matches!(ask(7194, &grant, &demand(7194)), Decision::Refresh(_)));
}

#[test]
fn a_jump_during_the_request_changes_no_token_s_age_by_more_than_a_lease() {
    for (settled, age, counted) in
        [(3500 + DAY, 1, 3479 + DAY), (100, 1, 100), (3500 + DAY, 600, 2880 + DAY), (2000, 600, 1420)]
    {
        let mut grant = grant();
        let held = hold(3500, &mut grant, 1);
        let report = report(&held, Outcome::Renewed(renewed(3, Some(4))));
        let update =
            update(tokentoss_custody::settle(at(settled), secs(age), &grant, &report, &parameters()));
        assert!(update.apply(&mut grant));
        assert_eq!(grant.tokens[0].access.as_ref().expect("a token").obtained_at, at(counted));
    }
}

#[test]
fn the_scheduler_does_not_sleep_longer_than_an_hour() {
    let grant = grant();
    let revision = context().client_revision;
    assert_eq!(ask(0, &grant, &Demand::for_scheduler()), Decision::Rest { until: Some(at(2400)) });
    assert_eq!((grant.rest(at(0), revision), grant.rest(at(1800), revision)), (secs(2400), secs(600)));
    let idle = tokentoss_custody::Grant { renewed_at: at(1), ..grant };
    assert_eq!(idle.rest(at(0), revision), secs(3600));
}
