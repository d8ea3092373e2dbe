//! No combination of row, demand, outcome and clock panics, and what comes out is always something that can be done.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use tokentoss_core::Timestamp;
use tokentoss_custody::*;

use crate::world::{grant, parameters, renewed, token};

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<u64>(), 0..100_000_u64, 1_800_000_000_000..1_800_010_000_000_u64, Just(u64::MAX),]
        .prop_map(Timestamp::from_millis)
}

fn life() -> impl Strategy<Value = Duration> {
    prop_oneof![any::<u64>(), 0..10_000_000_u64].prop_map(Duration::from_millis)
}

fn status() -> impl Strategy<Value = Status> {
    use {ErrorCause as E, ExpiredCause as X};
    let revision = ClientRevision(1);
    prop::sample::select(vec![
        Status::Active,
        Status::Expired(X::InvalidGrant),
        Status::Expired(X::RefreshTokenMissing),
        Status::Error(E::InvalidClient(revision)),
        Status::Error(E::CellUnreadable),
        Status::Error(E::RolledBack),
        Status::Revoked(Revoker::User),
    ])
}

fn target() -> impl Strategy<Value = Target> {
    let scopes = prop::sample::select(vec!["", "openid", "files mail", "admin"]);
    (scopes, option::of(Just("storage".to_owned())))
        .prop_map(|(scopes, audience)| Target { scopes: Scopes::read(scopes), audience })
}

fn slot() -> impl Strategy<Value = Slot> {
    let access =
        (0..9_u8, target(), time(), option::of(time())).prop_map(|(number, had, obtained_at, expires_at)| {
            Access { handle: token(number), scopes: had.scopes, obtained_at, expires_at }
        });
    (target(), option::of(access), option::of(time())).prop_map(|(target, access, refused_until)| Slot {
        target,
        access,
        refused_until,
    })
}

prop_compose! {
    fn row()(
        (version, owner, failures) in (0..9_u64, 0..3_u128, any::<u32>()),
        status in status(),
        refresh in option::of(0..9_u8),
        tokens in prop::collection::vec(slot(), 0..4),
        assumed_life in life(),
        times in prop::array::uniform6(time()),
        id_token in option::of(time()),
        (lease, intent) in (option::of(time()), option::of(0..9_u8)),
        pause in option::of((time(), time())),
    ) -> Grant {
        let [renewed_at, used_at, refresh_at, keep_alive_at, at, connected_at] = times;
        Grant {
            version: Version(version),
            status,
            refresh: refresh.map(token),
            id_token: id_token.map(|expires_at| IdToken { handle: token(8), expires_at }),
            tokens,
            assumed_life,
            connected_at,
            renewed_at,
            used_at,
            schedule: Schedule { refresh_at, keep_alive_at },
            back_off: BackOff { failures, failure: Some(Failure::Unreadable), pause },
            lease: lease.map(|until| Lease { owner: LeaseOwner(owner), until }),
            intent: intent.map(|number| Intent { hash: token(number).hash, at }),
            ..grant()
        }
    }
}

prop_compose! {
    fn demand()(
        gives_up_at in option::of(time()),
        target in target(),
        min_ttl in option::of(life()),
        rejected in option::of(0..9_u8),
        credential in prop_oneof![Just(Credential::AccessToken), Just(Credential::IdToken)],
    ) -> Demand {
        let requester = gives_up_at.map_or(Requester::Scheduler, |gives_up_at| Requester::Caller { gives_up_at });
        let min_ttl = min_ttl.map_or(MinTtl::Default, MinTtl::AtLeast);
        Demand { requester, credential, target, min_ttl, rejected: rejected.map(|number| token(number).hash) }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let tokens =
        (0..9_u8, option::of(0..9_u8), option::of(life())).prop_map(|(access, refresh, expires_in)| {
            Outcome::Renewed(Renewed { expires_in, ..renewed(access, refresh) })
        });
    let failed = option::of(life())
        .prop_map(|retry_after| Outcome::Failed { failure: Failure::AnswerLost, retry_after });
    prop_oneof![
        tokens,
        failed,
        Just(Outcome::Ended(ExpiredCause::InvalidGrant)),
        Just(Outcome::InvalidClient),
        Just(Outcome::ScopeRefused),
        Just(Outcome::CellUnreadable),
        Just(Outcome::RotatedOnly(token(4))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn every_decision_can_be_carried_out(now in time(), row in row(), demand in demand(), known in 0..12_u64) {
        let context = Context { known: Version(known), client_revision: ClientRevision(2) };
        match decide(now, &row, &demand, &context) {
            Decision::Serve { slot, .. } => {
                let access = row.tokens.get(slot).and_then(|slot| slot.access.as_ref()).expect("a token");
                let (ttl, hash) = match (demand.credential, row.id_token) {
                    (Credential::AccessToken, _) => (row.ttl(access, now), access.handle.hash),
                    (Credential::IdToken, Some(token)) => (token.ttl(access, now), token.handle.hash),
                    (Credential::IdToken, None) => return Err(TestCaseError::fail("there is none")),
                };
                prop_assert!(!ttl.is_zero() && demand.rejected != Some(hash));
                let has_all = demand.target.scopes.is_subset(&access.scopes);
                prop_assert!(has_all || demand.credential == Credential::IdToken);
                prop_assert!(!matches!(row.status, Status::Revoked(_)) || !row.tokens.is_empty());
            }
            Decision::Refresh(claim) => prop_assert!(claim.apply(now, LeaseOwner(7), &mut row.clone()).is_some()),
            Decision::Correct(update) => {
                let mut after = row.clone();
                prop_assert!(update.apply(&mut after));
                // One correction may follow another, but not for ever.
                for _ in 0..3 {
                    if let Decision::Correct(update) = decide(now, &after.clone(), &demand, &context) {
                        prop_assert!(update.apply(&mut after));
                    }
                }
                prop_assert!(!matches!(decide(now, &after, &demand, &context), Decision::Correct(_)));
            }
            Decision::Refuse(refusal) => {
                prop_assert_eq!(refusal.problem.action() == Action::Retry, refusal.retry_after.is_some());
            }
            Decision::Wait { until } => prop_assert!(until > now),
            Decision::Rest { until } => prop_assert!(until.is_none_or(|until| until > now)),
        }
    }

    #[test]
    fn every_outcome_can_be_settled(
        (now, age) in (time(), life()), row in row(), later in row(), outcome in outcome(),
    ) {
        let context = Context { known: Version(0), client_revision: ClientRevision(2) };
        let mut held_row = row.clone();
        let scheduler = Demand::for_scheduler();
        if let Decision::Refresh(claim) = decide(now, &row, &scheduler, &context) {
            let held = claim.apply(now, LeaseOwner(1), &mut held_row).expect("decided on this row");
            for found in [held_row, later] {
                let report = AttemptReport { held: held.clone(), outcome: outcome.clone(), is_uncertain: false };
                match settle(now, age, &found, &report, &parameters()) {
                    Settlement::Update(update) => {
                        let mut after = found.clone();
                        prop_assert!(update.apply(&mut after));
                        prop_assert!(after.version > found.version);
                        // The lease of a successor, who may be about to send the same token, stays.
                        let others = |lease: &Lease| lease.owner != LeaseOwner(1);
                        prop_assert!(after.lease.is_none() || after.lease == found.lease.filter(others));
                        prop_assert!(!matches!(found.status, Status::Revoked(_)));
                    }
                    Settlement::Revoke(tokens) => prop_assert!(!tokens.is_empty()),
                    Settlement::Nothing => {}
                }
            }
        }
    }
}
