//! The statement that finds what is due says the same as the machine.

use std::time::Duration;

use tokentoss_broker::store::{DueGrant, DueQuery, GrantId, Store, UnreadableGrants};
use tokentoss_core::Timestamp;
use tokentoss_custody::{
    BackOff, CLOCK_TOLERANCE, ClientRevision, ErrorCause, ExpiredCause, Failure, Grant, Guard, Intent, LEASE,
    Lease, LeaseOwner, Schedule, Status, TokenHash, Update,
};

use crate::store::{add_at, stores};

const REVISION: ClientRevision = ClientRevision(2);
/// A moment before, one soon and one so far ahead that the clock was put back since.
const MOMENTS: [i64; 3] = [-60_000, 10_000, 3_600_000];

async fn claim(store: &Store, provider: &str, closed: &[String], most: usize) -> Vec<DueGrant> {
    let asked = DueQuery {
        provider,
        issuer: Some("https://as.example"),
        revision: REVISION,
        closed,
        unreadable_grants: &UnreadableGrants::default(),
    };
    store.claim_due(&asked, most, &|_| None).await.expect("an answer")
}

fn at(now: Timestamp, offset: i64) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add_signed(offset))
}

/// What the columns say, with times as milliseconds from now.
#[derive(Clone, Copy)]
struct Mixture {
    status: Status,
    intent: Option<TokenHash>,
    /// Since the latest use.
    renewed: i64,
    refresh: i64,
    keep_alive: i64,
    lease: Option<i64>,
    /// Since when and until when.
    pause: Option<(i64, i64)>,
}

/// Every mixture.
fn mixtures(refresh_hash: TokenHash) -> Vec<Mixture> {
    let statuses = [
        Status::Active,
        Status::Error(ErrorCause::InvalidClient(ClientRevision(1))),
        Status::Error(ErrorCause::InvalidClient(REVISION)),
        Status::Error(ErrorCause::CellUnreadable),
        Status::Expired(ExpiredCause::InvalidGrant),
    ];
    let intents = [None, Some(refresh_hash), Some(TokenHash([9; 32]))];
    let schedules =
        [(-60_000, -1000, 10_000), (60_000, -1000, 10_000), (60_000, -1000, -1000), (-60_000, 10_000, -1000)];
    let leases = [None, Some(MOMENTS[0]), Some(MOMENTS[1]), Some(MOMENTS[2])];
    let pauses = [None, Some((-1000, -500)), Some((-1000, 10_000)), Some((MOMENTS[2], MOMENTS[2]))];
    let mut mixtures = Vec::new();
    for status in statuses {
        for intent in intents {
            for (renewed, refresh, keep_alive) in schedules {
                for lease in leases {
                    let with = |pause| Mixture { status, intent, renewed, refresh, keep_alive, lease, pause };
                    mixtures.extend(pauses.map(with));
                }
            }
        }
    }
    mixtures
}

impl Mixture {
    fn row(self, now: Timestamp, row: &Grant) -> Grant {
        let Self { status, intent, renewed, refresh, keep_alive, lease, pause } = self;
        Grant {
            version: row.version.next(),
            status,
            intent: intent.map(|hash| Intent { hash, at: now }),
            renewed_at: at(row.used_at, renewed),
            schedule: Schedule { refresh_at: at(now, refresh), keep_alive_at: at(now, keep_alive) },
            lease: lease.map(|until| Lease { owner: LeaseOwner(1), until: at(now, until) }),
            back_off: BackOff {
                failures: u32::from(pause.is_some()),
                failure: pause.map(|_| Failure::NotSent),
                pause: pause.map(|(failed, until)| (at(now, failed), at(now, until))),
            },
            ..row.clone()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_statement_finds_is_what_the_machine_calls_due() {
    for (store, folder) in stores().await {
        if folder.is_some() {
            // The same as in memory, and slower.
            continue;
        }
        // A provider that no other test knows.
        let provider = format!("provider-{}", GrantId::generate());
        let (mut found, id) = (0, add_at(&store, "ada", &provider).await);
        let mut row = store.grant(id).await.expect("an answer").expect("a row");
        let mixtures = mixtures(row.grant.refresh.expect("a refresh token").hash);
        for mixture in &mixtures {
            let after = mixture.row(row.now, &row.grant);
            let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
            assert!(store.update(id, &update, &[]).await.expect("an answer"));
            let due = claim(&store, &row.provider, &[], 1000).await;
            let is_found = due.iter().any(|due| due.row.id == id && due.held.is_none());
            row = store.grant(id).await.expect("an answer").expect("a row");
            // A lease too far ahead counts as none: it is put right when the grant is due.
            let lease = row.grant.lease.filter(|lease| lease.until <= row.now + LEASE + CLOCK_TOLERANCE);
            let due_at = Grant { lease, ..row.grant.clone() }.due_at(row.now, REVISION);
            assert_eq!(is_found, due_at.is_some_and(|due| due <= row.now), "{due_at:?}: {row:?}");
            found += usize::from(is_found);
        }
        assert!(found > 50 && found < mixtures.len() - 50, "{found} of {}", mixtures.len());
        tokio::time::timeout(Duration::from_secs(5), store.close()).await.expect("closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_fail_come_after_those_that_do_not() {
    for (store, _folder) in stores().await {
        let provider = format!("provider-{}", GrantId::generate());
        let mut ids = Vec::new();
        // Interrupted and failing, interrupted alone, due by its schedule.
        for (user, failures, is_interrupted) in [("ada", 3, true), ("grace", 0, true), ("joan", 0, false)] {
            let id = add_at(&store, user, &provider).await;
            let row = store.grant(id).await.expect("an answer").expect("a row");
            let pause = (failures > 0).then_some((at(row.now, -2000), at(row.now, -1000)));
            let hash = row.grant.refresh.expect("a refresh token").hash;
            let after = Grant {
                version: row.grant.version.next(),
                intent: is_interrupted.then_some(Intent { hash, at: row.now }),
                schedule: Schedule { refresh_at: at(row.now, -1000), ..row.grant.schedule },
                back_off: BackOff { failures, failure: pause.map(|_| Failure::ServerFailed), pause },
                ..row.grant.clone()
            };
            let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
            assert!(store.update(id, &update, &[]).await.expect("an answer"));
            ids.push(id);
        }
        for most in 1..=ids.len() {
            let due = claim(&store, &provider, &[], most).await;
            let found: Vec<_> = due.into_iter().map(|due| due.row.id).collect();
            assert_eq!(found, [ids[1], ids[2], ids[0]][..most]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_whose_keys_do_not_open_stand_in_nobody_s_way() {
    for (store, _folder) in stores().await {
        let provider = format!("provider-{}", GrantId::generate());
        let mut tenants = Vec::new();
        for user in ["ada", "grace", "joan"] {
            let id = add_at(&store, user, &provider).await;
            let row = store.grant(id).await.expect("an answer").expect("a row");
            // The first one is due for the longest time.
            let refresh_at = at(row.now, -60_000 + 1000 * i64::try_from(tenants.len()).expect("few"));
            let schedule = Schedule { refresh_at, ..row.grant.schedule };
            let after = Grant { version: row.grant.version.next(), schedule, ..row.grant.clone() };
            let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
            assert!(store.update(id, &update, &[]).await.expect("an answer"));
            tenants.push(row.tenant);
        }
        for closed in 0..=tenants.len() {
            let due = claim(&store, &provider, &tenants[..closed], 1).await;
            let found: Vec<_> = due.into_iter().map(|due| due.row.tenant).collect();
            assert_eq!(found, tenants[closed..].iter().take(1).cloned().collect::<Vec<_>>());
        }
    }
}
