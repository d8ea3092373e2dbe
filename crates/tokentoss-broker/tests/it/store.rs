//! What the machine takes for granted of a store, for both databases.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokentoss_broker::store::{GrantId, NewCell, NewGrant, Store, StoreError};
use tokentoss_custody::{
    CellId, Claim, Context, Credential, Decision, Demand, Guard, Handle, Jitter, LeaseOwner, MinTtl, Outcome,
    Renewed, Requester, Revoker, Scopes, SettleParameters, SignIn, Target, TokenHash, Update, Version,
    connect, decide, sign_out,
};

use crate::databases::{is_second_run, postgres};
use crate::running::Home;

const PARAMETERS: SettleParameters = SettleParameters {
    forgets_after: Duration::from_secs(86_400 * 60),
    client_revision: tokentoss_custody::ClientRevision(1),
    jitter: Jitter(0),
};

/// A token of a grant, by a number; tests share databases, and no two grants share a cell.
fn handle(id: GrantId, number: u8) -> Handle {
    Handle { hash: TokenHash([number; 32]), cell: at(id, number) }
}

fn cell(id: GrantId, number: u8) -> NewCell {
    NewCell { id: at(id, number), sealed: vec![number; 40] }
}

fn at(id: GrantId, number: u8) -> CellId {
    CellId(u128::from_be_bytes(id.0).wrapping_add(u128::from(number)))
}

pub(crate) async fn stores() -> Vec<(Store, Option<tempfile::TempDir>)> {
    if is_second_run() {
        return Vec::new();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("sqlite:{}/broker.sqlite", folder.path().display());
    let mut stores = vec![
        (Store::open("sqlite::memory:").await.expect("a store"), None),
        (Store::open(&file).await.expect("a store"), Some(folder)),
    ];
    if let Some(address) = postgres() {
        stores.push((Store::open(&address).await.expect("a store"), None));
    }
    for (store, _) in &stores {
        store.migrate().await.expect("migrated");
        store.migrate().await.expect("migrated once");
        assert_eq!(store.pending().await.expect("an answer"), 0);
    }
    stores
}

/// Adds a grant whose access token has five seconds left.
async fn add(store: &Store, user: &str) -> GrantId {
    add_at(store, user, "example").await
}

/// The same at a provider of this name.
pub(crate) async fn add_at(store: &Store, user: &str, provider: &str) -> GrantId {
    let id = GrantId::generate();
    let tenant = format!("tenant-{id}");
    store.add_tenant(&tenant, &[1, 2, 3]).await.expect("added");
    let sign_in = SignIn {
        tokens: Renewed {
            access: handle(id, 1),
            refresh: Some(handle(id, 2)),
            id_token: None,
            expires_in: Some(Duration::from_secs(5)),
            scopes: Some(Scopes::read("a b")),
        },
        requested: Scopes::default(),
        assumed_life: Duration::from_secs(3600),
    };
    let grant = connect(store.now().await.expect("a time"), &sign_in, Version::default(), &PARAMETERS);
    let new = NewGrant {
        id,
        tenant,
        user: user.into(),
        provider: provider.into(),
        issuer: "https://as.example".into(),
        subject: user.into(),
        email: Some(format!("{user}@example.com")),
        grant,
        sign_in: None,
    };
    let cells = [cell(id, 1), cell(id, 2)];
    assert!(store.add_grant(&new, &cells).await.expect("added"));
    assert!(
        !store.add_grant(&NewGrant { id: GrantId::generate(), ..new }, &[]).await.expect("an answer"),
        "once"
    );
    id
}

async fn claim(store: &Store, id: GrantId) -> Claim {
    let row = store.grant(id).await.expect("an answer").expect("a row");
    let demand = Demand {
        requester: Requester::Caller { gives_up_at: row.now + Duration::from_secs(5) },
        credential: Credential::AccessToken,
        target: Target::default(),
        min_ttl: MinTtl::Default,
        rejected: None,
    };
    let row = tokentoss_broker::store::GrantRow { now: row.now + Duration::from_secs(60), ..row };
    match decide(
        row.now,
        &row.grant,
        &demand,
        &Context { known: Version::default(), client_revision: PARAMETERS.client_revision },
    ) {
        Decision::Refresh(claim) => claim,
        other => panic!("no claim: {other:?}"),
    }
}

#[tokio::test]
async fn a_row_comes_back_as_it_was_written() {
    for (store, _folder) in stores().await {
        let id = add(&store, "ada").await;
        let row = store.grant(id).await.expect("an answer").expect("a row");
        assert_eq!((row.user.as_str(), row.email.as_deref()), ("ada", Some("ada@example.com")));
        assert_eq!(row.grant.refresh, Some(handle(id, 2)));
        assert_eq!(row.grant.main().expect("a token").handle, handle(id, 1));
        assert_eq!(store.cell(at(id, 2)).await.expect("an answer"), Some(vec![2; 40]));
        let accounts = store.accounts(&row.tenant, "ada", "example", None).await.expect("an answer");
        assert_eq!(accounts.len(), 1);
        assert!(accounts[0].goes_by("ADA@example.com") && !accounts[0].goes_by("grace"));
        assert!(store.accounts(&row.tenant, "grace", "example", None).await.expect("an answer").is_empty());
        assert!(store.grant(GrantId::generate()).await.expect("an answer").is_none());
    }
}

#[tokio::test]
async fn a_lease_is_had_by_one() {
    for (store, _folder) in stores().await {
        let id = add(&store, "ada").await;
        let claim = claim(&store, id).await;
        assert!(store.claim(id, &claim, LeaseOwner(1)).await.expect("an answer"));
        assert!(!store.claim(id, &claim, LeaseOwner(2)).await.expect("an answer"), "somebody has it");
        let row = store.grant(id).await.expect("an answer").expect("a row");
        let lease = row.grant.lease.expect("a lease");
        assert_eq!(lease.owner, LeaseOwner(1));
        let left = lease.until.as_millis() - row.now.as_millis();
        assert!((19_000..=20_000).contains(&left), "{left}");
        assert_eq!(row.grant.intent.expect("an intent").hash, handle(id, 2).hash);
        let stale = Claim { version: claim.version.next(), ..claim };
        assert!(!store.claim(id, &stale, LeaseOwner(3)).await.expect("an answer"), "another version");
    }
}

#[tokio::test]
async fn a_guard_that_does_not_hold_writes_nothing() {
    for (store, _folder) in stores().await {
        let id = add(&store, "ada").await;
        let row = store.grant(id).await.expect("an answer").expect("a row");
        let claim = claim(&store, id).await;
        assert!(store.claim(id, &claim, LeaseOwner(1)).await.expect("an answer"));
        let held = tokentoss_custody::HeldLease { claim, owner: LeaseOwner(1) };
        let renewed = Renewed {
            access: handle(id, 3),
            refresh: Some(handle(id, 4)),
            id_token: None,
            expires_in: Some(Duration::from_secs(3600)),
            scopes: None,
        };
        let report = tokentoss_custody::AttemptReport {
            held,
            outcome: Outcome::Renewed(renewed),
            is_uncertain: false,
        };
        let leased = store.grant(id).await.expect("an answer").expect("a row");
        let tokentoss_custody::Settlement::Update(update) =
            tokentoss_custody::settle(leased.now, Duration::ZERO, &leased.grant, &report, &PARAMETERS)
        else {
            panic!("an update")
        };
        // The user signs out in between.
        let ended = sign_out(&row.grant, Revoker::User).expect("an end");
        assert!(store.update(id, &ended, &[]).await.expect("an answer"));
        assert!(!store.update(id, &update, &[cell(id, 3), cell(id, 4)]).await.expect("an answer"), "fenced");
        assert_eq!(store.cell(at(id, 3)).await.expect("an answer"), None, "nothing of it is there");
        assert_eq!(store.cell(at(id, 1)).await.expect("an answer"), None, "the access token is gone");
        assert_eq!(
            store.cell(at(id, 2)).await.expect("an answer"),
            Some(vec![2; 40]),
            "it waits to be revoked"
        );
        store.queue_revocations(id, &[handle(id, 4)], &[cell(id, 3), cell(id, 4)]).await.expect("queued");
        assert_eq!(store.cell(at(id, 4)).await.expect("an answer"), Some(vec![4; 40]));
        assert_eq!(store.cell(at(id, 3)).await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn new_tokens_replace_the_old_ones_and_their_cells() {
    for (store, _folder) in stores().await {
        let id = add(&store, "ada").await;
        let claim = claim(&store, id).await;
        assert!(store.claim(id, &claim, LeaseOwner(1)).await.expect("an answer"));
        let row = store.grant(id).await.expect("an answer").expect("a row");
        let renewed = Renewed {
            access: handle(id, 3),
            refresh: Some(handle(id, 4)),
            id_token: None,
            expires_in: None,
            scopes: None,
        };
        let held = tokentoss_custody::HeldLease { claim, owner: LeaseOwner(1) };
        let report = tokentoss_custody::AttemptReport {
            held,
            outcome: Outcome::Renewed(renewed),
            is_uncertain: false,
        };
        let tokentoss_custody::Settlement::Update(update) =
            tokentoss_custody::settle(row.now, Duration::ZERO, &row.grant, &report, &PARAMETERS)
        else {
            panic!("an update")
        };
        assert!(store.update(id, &update, &[cell(id, 3), cell(id, 4)]).await.expect("an answer"));
        let after = store.grant(id).await.expect("an answer").expect("a row");
        let expected = tokentoss_custody::Grant { used_at: after.grant.used_at, ..update.after.clone() };
        assert_eq!(after.grant, expected, "every column");
        for (number, is_there) in [(1, false), (2, false), (3, true), (4, true)] {
            assert_eq!(store.cell(at(id, number)).await.expect("an answer").is_some(), is_there, "{number}");
        }
    }
}

#[tokio::test]
async fn the_latest_use_counts() {
    for (store, _folder) in stores().await {
        let (one, other) = (add(&store, "ada").await, add(&store, "grace").await);
        let now = store.now().await.expect("a time");
        let (early, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        store.note_uses(&[(one, late), (other, early)]).await.expect("noted");
        store.note_uses(&[(one, early), (GrantId::generate(), early)]).await.expect("noted");
        for (id, expected) in [(one, late), (other, early)] {
            assert_eq!(store.grant(id).await.expect("an answer").expect("a row").grant.used_at, expected);
        }
        let ahead = now + Duration::from_secs(3600);
        store.note_uses(&[(one, ahead)]).await.expect("noted");
        store.note_uses(&[(one, late)]).await.expect("noted");
        let row = store.grant(one).await.expect("an answer").expect("a row");
        assert_eq!(row.grant.used_at, late, "the clock was put back");
    }
}

#[tokio::test]
async fn a_row_that_others_write_all_the_time_is_given_up() {
    for (store, _folder) in stores().await {
        let id = add(&store, "ada").await;
        let tries = AtomicUsize::new(0);
        let changed = store.change(id, |row| {
            tries.fetch_add(1, Ordering::Relaxed);
            // As if somebody had written it since.
            let guard = Guard::of_version(row.grant.version.next());
            Some(Update { guard, after: row.grant.clone(), revoke: Vec::new() })
        });
        assert!(matches!(changed.await, Err(StoreError::Contended)));
        assert_eq!(tries.load(Ordering::Relaxed), 64);
        let ended = store.change(id, |row| sign_out(&row.grant, Revoker::User)).await.expect("an answer");
        assert_eq!(ended.expect("the row before").grant.status.name(), "active");
        let again = store.change(id, |row| sign_out(&row.grant, Revoker::User)).await.expect("an answer");
        assert!(again.is_none());
    }
}

#[tokio::test]
async fn only_a_database_without_the_table_is_a_new_one() {
    for home in Home::all().await {
        let store = Store::open(&home.database()).await.expect("a store");
        let all = store.pending().await.expect("an answer");
        assert!(all >= 3, "{all}");
        store.migrate().await.expect("migrated");
        assert_eq!(store.pending().await.expect("an answer"), 0);
        home.execute("ALTER TABLE schema_version RENAME COLUMN version TO something").await;
        let found = store.pending().await;
        assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    }
}
