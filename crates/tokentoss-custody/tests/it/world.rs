//! One grant to try rules on.

use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_custody::{
    AttemptReport, CellId, Claim, ClientRevision, Context, Credential, Decision, Demand, Grant, Handle,
    HeldLease, Jitter, LeaseOwner, MinTtl, Outcome, Refusal, Renewed, Requester, Scopes, SettleParameters,
    Settlement, SignIn, Target, TokenHash, Update, Version, connect, decide,
};

pub(crate) const DAY: u64 = 86_400;

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn token(number: u8) -> Handle {
    Handle { hash: TokenHash([number; 32]), cell: CellId(u128::from(number)) }
}

pub(crate) fn parameters() -> SettleParameters {
    SettleParameters { forgets_after: secs(60 * DAY), client_revision: ClientRevision(1), jitter: Jitter(0) }
}

pub(crate) fn context() -> Context {
    Context { known: Version(0), client_revision: ClientRevision(1) }
}

pub(crate) fn renewed(access: u8, refresh: Option<u8>) -> Renewed {
    let refresh = refresh.map(token);
    Renewed { access: token(access), refresh, id_token: None, expires_in: Some(secs(3600)), scopes: None }
}

/// Access token 1 for an hour, refresh token 2.
pub(crate) fn grant() -> Grant {
    let sign_in = SignIn {
        tokens: renewed(1, Some(2)),
        requested: Scopes::read("openid files mail"),
        assumed_life: secs(1800),
    };
    connect(at(0), &sign_in, Version(0), &parameters())
}

pub(crate) fn demand(now: u64) -> Demand {
    let requester = Requester::Caller { gives_up_at: at(now + 5) };
    Demand {
        requester,
        credential: Credential::AccessToken,
        target: Target::default(),
        min_ttl: MinTtl::Default,
        rejected: None,
    }
}

pub(crate) fn ask(now: u64, grant: &Grant, demand: &Demand) -> Decision {
    decide(at(now), grant, demand, &context())
}

pub(crate) fn claim(now: u64, grant: &Grant) -> Claim {
    match ask(now, grant, &demand(now)) {
        Decision::Refresh(claim) => claim,
        other => panic!("no refresh: {other:?}"),
    }
}

/// Takes the lease.
pub(crate) fn hold(now: u64, grant: &mut Grant, owner: u128) -> HeldLease {
    let claim = claim(now, grant);
    claim.apply(at(now), LeaseOwner(owner), grant).expect("a free lease")
}

/// The target that [`hold_for_storage`] asks for.
pub(crate) fn storage() -> Target {
    Target { audience: Some("storage".into()), ..Target::default() }
}

/// Takes the lease for another target.
pub(crate) fn hold_for_storage(now: u64, grant: &mut Grant, owner: u128) -> HeldLease {
    match ask(now, grant, &Demand { target: storage(), ..demand(now) }) {
        Decision::Refresh(claim) => claim.apply(at(now), LeaseOwner(owner), grant).expect("a free lease"),
        other => panic!("no refresh: {other:?}"),
    }
}

pub(crate) fn report(held: &HeldLease, outcome: Outcome) -> AttemptReport {
    AttemptReport { held: held.clone(), outcome, is_uncertain: held.claim.is_repeated }
}

/// Settles at once, by a clock that was not changed.
pub(crate) fn settle(
    now: Timestamp,
    grant: &Grant,
    report: &AttemptReport,
    parameters: &SettleParameters,
) -> Settlement {
    let age = now.as_millis().saturating_sub(report.held.claim.at.as_millis());
    tokentoss_custody::settle(now, Duration::from_millis(age), grant, report, parameters)
}

/// Settles and writes.
pub(crate) fn end(now: u64, grant: &mut Grant, held: &HeldLease, outcome: Outcome) {
    let update = update(settle(at(now), grant, &report(held, outcome), &parameters()));
    assert!(update.apply(grant), "the row has changed");
}

pub(crate) fn update(write: Settlement) -> Update {
    match write {
        Settlement::Update(update) => *update,
        other => panic!("no update: {other:?}"),
    }
}

pub(crate) fn refusal(decision: Decision) -> Refusal {
    match decision {
        Decision::Refuse(refusal) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

pub(crate) fn code(decision: Decision) -> &'static str {
    refusal(decision).problem.code()
}

pub(crate) const FRESH: Decision = Decision::Serve { slot: 0, is_last_resort: false };
pub(crate) const LAST_RESORT: Decision = Decision::Serve { slot: 0, is_last_resort: true };
