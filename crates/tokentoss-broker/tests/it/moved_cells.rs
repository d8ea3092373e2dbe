//! Who can write to the database moves sealed tokens about: none is handed out in another place than its own.

use std::time::Duration;

use serde_json::{Value, json};
use tokentoss_broker::refresh::{Revoked, SignedIn};
use tokentoss_broker::store::{AccountKey, GrantId, Revocation};
use tokentoss_broker::through::Lookup;
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{Grant, Scopes};

use crate::running::{Answer, Broker, Home, KEY, answer};

const ACCESS: &str = "access-of-ada-as-sealed";
const ID_TOKEN: &str = "id-token-of-ada-as-sealed";

/// Connects an account with all three tokens.
async fn connect(broker: &Broker, tenant: &str, user: &str, refresh: &str) -> GrantId {
    let issuer = "https://as.example";
    let who = SignedIn {
        account: AccountKey { tenant, user, provider: "example", issuer, subject: user },
        email: None,
        requested: Scopes::read("files.read profile"),
        id_token_expires_at: Some(Timestamp::from_millis(32_503_680_000_000)),
    };
    let tokens = Tokens {
        access: Secret::new(ACCESS.replace("ada", user)),
        refresh: Some(Secret::new(refresh.to_owned())),
        id_token: Some(Secret::new(ID_TOKEN.replace("ada", user))),
        expires_in: Some(Duration::from_secs(3600)),
        scopes: None,
    };
    broker.custodian.connect(&who, &tokens).await.expect("connected")
}

/// Asks for a token as a user of a tenant.
async fn ask(broker: &Broker, tenant: &str, user: &str, more: Value) -> Answer {
    let mut body = json!({"provider": "example"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let request = broker.http.post(broker.url("/v1/token")).bearer_auth(KEY);
    let request = request.header("x-tokentoss-tenant", tenant).header("x-tokentoss-user", user);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn grant(broker: &Broker, id: GrantId) -> Grant {
    broker.custodian.store.grant(id).await.expect("an answer").expect("a row").grant
}

fn unreadable(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (500, "key_unavailable"), "{answer:?}");
}

#[tokio::test]
async fn no_other_token_is_handed_out_as_an_access_token() {
    let cells = [("refresh_cell", "refresh_hash"), ("id_cell", "id_hash")];
    for home in Home::all().await {
        let broker = home.start().await;
        for (user, (cell, hash)) in ["ada", "grace"].into_iter().zip(cells) {
            let refresh = home.provider.grant();
            let id = connect(&broker, "acme", user, &refresh).await;
            let before = home.provider.forms().len();
            // The hash as well: it guards nothing against somebody who can write.
            home.execute(&format!(
                "UPDATE tokens SET cell = (SELECT {cell} FROM grants WHERE id = grant_id),
                                   hash = (SELECT {hash} FROM grants WHERE id = grant_id)
                  WHERE grant_id = (SELECT id FROM grants WHERE user_id = '{user}')"
            ))
            .await;
            let given = ask(&broker, "acme", user, json!({})).await;
            let (text, id_token) = (given.body.to_string(), ID_TOKEN.replace("ada", user));
            assert!(!text.contains(&refresh) && !text.contains(&id_token), "{text}");
            assert_eq!(
                (given.status, home.provider.forms().len()),
                (200, before + 1),
                "a fresh one: {given:?}"
            );
            assert_eq!(grant(&broker, id).await.status.name(), "active");
        }
    }
}

#[tokio::test]
async fn no_other_token_is_sent_as_a_refresh_token() {
    for home in Home::all().await {
        let broker = home.start().await;
        let of_tokens = (
            "(SELECT cell FROM tokens WHERE grant_id = id)",
            "(SELECT hash FROM tokens WHERE grant_id = id)",
        );
        for (user, (cell, hash)) in [("ada", of_tokens), ("grace", ("id_cell", "id_hash"))] {
            let id = connect(&broker, "acme", user, &home.provider.grant()).await;
            broker.make_old(id, 3601).await;
            home.execute(&format!(
                "UPDATE grants SET refresh_cell = {cell}, refresh_hash = {hash} WHERE user_id = '{user}'"
            ))
            .await;
            unreadable(&ask(&broker, "acme", user, json!({})).await);
            let status = grant(&broker, id).await.status;
            assert_eq!((status.name(), status.cause()), ("error", Some("cell_unreadable")));
        }
        assert!(home.provider.forms().is_empty());
    }
}

#[tokio::test]
async fn no_other_token_is_handed_out_as_an_id_token() {
    for home in Home::all().await {
        let broker = home.start().await;
        let of_tokens = "(SELECT cell FROM tokens WHERE grant_id = id)";
        for (user, cell) in [("ada", "refresh_cell"), ("grace", of_tokens)] {
            let hash = cell.replace("cell", "hash");
            connect(&broker, "acme", user, &home.provider.grant()).await;
            home.execute(&format!(
                "UPDATE grants SET id_cell = {cell}, id_hash = {hash} WHERE user_id = '{user}'"
            ))
            .await;
            unreadable(&ask(&broker, "acme", user, json!({"id_token": true})).await);
        }
    }
}

#[tokio::test]
async fn a_token_for_one_target_is_none_for_another() {
    let audience = json!({"audience": "https://files.example/"});
    for mut home in Home::all().await {
        home.of_provider = format!("{}\naudiences = [{}]", home.of_provider, audience["audience"]);
        let broker = home.start().await;
        connect(&broker, "acme", "ada", &home.provider.grant()).await;
        assert_eq!(ask(&broker, "acme", "ada", audience.clone()).await.status, 200);
        let slots = "SELECT COUNT(*) FROM tokens WHERE cell IS NOT NULL";
        assert_eq!(home.number(slots).await, 2);
        broker.stop().await;
        for column in ["cell", "hash"] {
            home.execute(&format!(
                "UPDATE tokens SET {column} = (SELECT t.{column} FROM tokens t WHERE t.audience = '')"
            ))
            .await;
        }
        let (broker, before) = (home.start().await, home.provider.forms().len());
        let given = ask(&broker, "acme", "ada", audience.clone()).await;
        assert_ne!(given.body["access_token"], ACCESS, "{given:?}");
        assert_eq!((given.status, home.provider.forms().len()), (200, before + 1), "{given:?}");
    }
}

#[tokio::test]
async fn a_moved_grant_gives_nobody_anything() {
    // What is changed, and who asks then.
    let moves = [
        ("user_id = 'mallory'", ("acme", "mallory", "example")),
        ("tenant = 'other'", ("other", "ada", "example")),
        ("provider = 'second'", ("acme", "ada", "second")),
        ("subject = 'mallory'", ("acme", "ada", "example")),
        ("issuer = 'https://evil.example'", ("acme", "ada", "example")),
    ];
    for (change, (tenant, user, provider)) in moves {
        for home in Home::all().await {
            let second = format!(
                "[providers.second]\ntoken_endpoint = \"{}\"\nclient_id = \"client-1\"\nauthentication = \"none\"",
                home.provider.token_endpoint
            );
            let broker = home.start_resolving(&second, &Lookup::of_system()).await;
            let refresh = home.provider.grant();
            // Makes the tenant.
            connect(&broker, "other", "bob", &home.provider.grant()).await;
            let id = connect(&broker, "acme", "ada", &refresh).await;
            for is_old in [false, true] {
                if is_old {
                    home.execute("UPDATE grants SET status = 'active', cause = NULL WHERE subject <> 'bob'")
                        .await;
                    broker.make_old(id, 3601).await;
                }
                home.execute(&format!("UPDATE grants SET {change} WHERE subject <> 'bob'")).await;
                let asked = ask(&broker, tenant, user, json!({"provider": provider})).await;
                unreadable(&asked);
                assert_eq!(grant(&broker, id).await.status.cause(), Some("cell_unreadable"), "{change}");
            }
            assert!(home.provider.forms().is_empty(), "{change}");
            broker.stop().await;
        }
    }
}

#[tokio::test]
async fn what_is_kept_in_memory_is_its_owner_s_alone() {
    for home in Home::all().await {
        let broker = home.start().await;
        connect(&broker, "acme", "ada", &home.provider.grant()).await;
        let own = ask(&broker, "acme", "ada", json!({"id_token": true})).await;
        assert_eq!((own.status, &own.body["access_token"]), (200, &json!(ACCESS)), "{own:?}");
        // Without news, so that row and tokens are still kept.
        home.execute("UPDATE grants SET user_id = 'mallory'").await;
        unreadable(&ask(&broker, "acme", "mallory", json!({"id_token": true})).await);
        assert!(home.provider.forms().is_empty());
    }
}

#[tokio::test]
async fn a_token_of_one_grant_opens_in_no_other() {
    for home in Home::all().await {
        let broker = home.start().await;
        connect(&broker, "acme", "ada", &home.provider.grant()).await;
        let id = connect(&broker, "acme", "mallory", &home.provider.grant()).await;
        let of = |user: &str| format!("(SELECT id FROM grants WHERE user_id = '{user}')");
        let (ada, mallory) = (of("ada"), of("mallory"));
        for (column, of_grant) in [("cell", "refresh_cell"), ("hash", "refresh_hash")] {
            home.execute(&format!(
                "UPDATE tokens SET {column} = (SELECT t.{column} FROM tokens t WHERE t.grant_id = {ada})
                  WHERE grant_id = {mallory}"
            ))
            .await;
            home.execute(&format!(
                "UPDATE grants SET {of_grant} = (SELECT g.{of_grant} FROM grants g WHERE g.user_id = 'ada')
                  WHERE user_id = 'mallory'"
            ))
            .await;
        }
        home.execute(&format!("UPDATE cells SET grant_id = {mallory}")).await;
        unreadable(&ask(&broker, "acme", "mallory", json!({})).await);
        assert_eq!(grant(&broker, id).await.status.cause(), Some("cell_unreadable"));
        assert!(home.provider.forms().is_empty());
    }
}

#[tokio::test]
async fn a_token_is_revoked_for_its_own_account_alone() {
    for home in Home::all().await {
        let broker = home.start().await;
        let refresh = home.provider.grant();
        let id = connect(&broker, "acme", "ada", &refresh).await;
        let row = broker.custodian.store.grant(id).await.expect("an answer").expect("a row");
        let access = row.grant.main().expect("an access token").handle.cell;
        for (cell, token) in [(row.grant.refresh.expect("a token").cell, &*refresh), (access, ACCESS)] {
            let sealed = broker.custodian.store.cell(cell).await.expect("an answer").expect("a cell");
            let own = Revocation {
                cell,
                grant: id,
                tenant: "acme".into(),
                user: "ada".into(),
                provider: "example".into(),
                issuer: "https://as.example".into(),
                subject: "ada".into(),
                sealed,
                is_connected_again: false,
                failures: 0,
                age: Duration::ZERO,
            };
            let moved = Revocation { user: "mallory".into(), ..own.clone() };
            assert!(broker.custodian.revoke(&moved).await.is_err());
            assert_eq!(broker.custodian.revoke(&own).await.ok(), Some(Revoked::Done));
            assert_eq!(home.provider.revoked().last().expect("a form").0["token"], token);
        }
        assert_eq!(home.provider.revoked().len(), 2);
    }
}
