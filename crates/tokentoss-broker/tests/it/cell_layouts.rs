//! Cells in the layout of older versions: they open until they are sealed anew.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use serde_json::json;
use tokentoss_broker::keys::{CellAad, Key, KeyRing, column_of, open_cell};
use tokentoss_broker::store::{GrantCell, GrantFilter, GrantId, Store};
use tokentoss_core::Secret;

use crate::commands::{out, run};
use crate::running::{Broker, Home};

const NONCE: [u8; 24] = [7; 24];

fn ring_file(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("keys.toml")).expect("a ring")
}

/// The data key of the tenant that has one in its first form, as its name and its bytes.
async fn data_key(home: &Home, store: &Store) -> (Key, Vec<u8>) {
    let wrapped = store.data_key("acme").await.expect("an answer").expect("a key");
    let ring = ring_file(home);
    let line = ring.lines().find(|line| line.starts_with("\"first\"")).expect("a key");
    let first = URL_SAFE_NO_PAD.decode(line.split('"').nth(3).expect("a text")).expect("a key");
    let (nonce, ciphertext) = wrapped[2 + "first".len()..].split_at(24);
    let cipher = XChaCha20Poly1305::new_from_slice(&first).expect("32 bytes");
    let aad = b"tokentoss/data-key/1\0acme";
    let nonce: [u8; 24] = nonce.try_into().expect("24 bytes");
    let bytes = cipher.decrypt(&nonce.into(), Payload { msg: ciphertext, aad }).expect("it opens");
    (KeyRing::read(&ring).expect("a ring").unwrap(&wrapped, "acme").expect("it opens"), bytes)
}

/// A cell as older versions sealed it.
fn former(key: &(Key, Vec<u8>), cell: &GrantCell, secret: &Secret) -> Vec<u8> {
    let aad = [b"tokentoss/cell/1\0".as_slice(), &cell.grant.0, &cell.cell.0.to_be_bytes(), b"acme"].concat();
    let cipher = XChaCha20Poly1305::new_from_slice(&key.1).expect("32 bytes");
    let payload = Payload { msg: secret.expose().as_bytes(), aad: &aad };
    let ciphertext = cipher.encrypt(&NONCE.into(), payload).expect("sealed");
    [[1].as_slice(), &key.0.name(), &NONCE, &ciphertext].concat()
}

async fn cells(store: &Store) -> Vec<GrantCell> {
    let ids: Vec<GrantId> = store.grants_after(&GrantFilter::default(), None, 100).await.expect("an answer");
    store.cells_of(&ids).await.expect("an answer")
}

/// How many cells there are in each layout.
async fn layouts(store: &Store) -> (usize, usize) {
    let all = cells(store).await;
    let current = all.iter().filter(|cell| cell.sealed[0] == 2).count();
    (all.len() - current, current)
}

/// Seals all cells as older versions did.
async fn age(home: &Home, broker: &Broker) {
    let store = &broker.custodian.store;
    let key = data_key(home, store).await;
    for cell in cells(store).await {
        let column = column_of(&cell.sealed).expect("a column");
        let place = CellAad { account: cell.account(), grant: cell.grant, cell: cell.cell, column };
        let secret = open_cell(&key.0, &place, &cell.sealed).expect("it opens");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let bytes = |bytes: &[u8]| match home.database().starts_with("sqlite:") {
            true => format!("x'{}'", hex(bytes)),
            false => format!("'\\x{}'::bytea", hex(bytes)),
        };
        let (id, sealed) = (bytes(&cell.cell.0.to_be_bytes()), bytes(&former(&key, &cell, &secret)));
        home.execute(&format!("UPDATE cells SET sealed = {sealed} WHERE id = {id}")).await;
    }
}

#[tokio::test]
async fn older_cells_open_and_what_is_written_is_bound() {
    for home in Home::all().await {
        let broker = home.start().await;
        let refresh = home.provider.grant();
        let id = broker.connect("ada", &refresh, 3600).await;
        age(&home, &broker).await;
        assert_eq!(layouts(&broker.custodian.store).await, (2, 0));
        let given = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!(
            (given.status, &given.body["access_token"]),
            (200, &json!("first-access-of-ada")),
            "{given:?}"
        );
        broker.make_old(id, 3601).await;
        let given = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!(
            (given.status, &*home.provider.forms()[0]["refresh_token"]),
            (200, &*refresh),
            "{given:?}"
        );
        // The provider gave a new refresh token, too.
        assert_eq!(layouts(&broker.custodian.store).await, (0, 2));
    }
}

#[tokio::test]
async fn an_older_cell_is_compared_with_the_hash_beside_it() {
    for home in Home::all().await {
        let broker = home.start().await;
        let refresh = home.provider.grant();
        broker.connect("ada", &refresh, 3600).await;
        age(&home, &broker).await;
        home.execute("UPDATE tokens SET cell = (SELECT refresh_cell FROM grants WHERE id = grant_id)").await;
        let given = broker.token("ada", json!({"provider": "example"})).await;
        assert!(given.status == 200 && !given.body.to_string().contains(&refresh), "{given:?}");
        assert_eq!(home.provider.forms().len(), 1);
    }
}

#[tokio::test]
async fn rekey_seals_older_cells_anew_also_by_the_same_data_key() {
    for home in Home::all().await {
        for (arguments, lines) in [
            (["rekey", "--forget"].as_slice(), "2 cells sealed anew\n0 former data keys dropped"),
            (["rekey", "--cells", "--settle-seconds", "0"].as_slice(), "2 cells sealed anew"),
        ] {
            let broker = home.start().await;
            let id = broker.connect("ada", &home.provider.grant(), 3600).await;
            age(&home, &broker).await;
            broker.stop().await;
            let output = run(&home.configuration(""), arguments).await;
            assert!(output.status.success() && out(&output).contains(lines), "{output:?}");
            let broker = home.start().await;
            assert_eq!(layouts(&broker.custodian.store).await, (0, 2));
            let given = broker.token("ada", json!({"provider": "example"})).await;
            assert_eq!(given.body["access_token"], "first-access-of-ada", "{given:?}");
            broker.make_old(id, 3601).await;
            assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
            // They are bound to their columns from now on.
            for column in ["cell", "hash"] {
                home.execute(&format!(
                    "UPDATE tokens SET {column} = (SELECT refresh_{column} FROM grants WHERE id = grant_id)"
                ))
                .await;
            }
            broker.stop().await;
            let (broker, before) = (home.start().await, home.provider.forms().len());
            let given = broker.token("ada", json!({"provider": "example"})).await;
            assert_eq!((given.status, home.provider.forms().len()), (200, before + 1), "{given:?}");
            broker.stop().await;
        }
    }
}

#[tokio::test]
async fn an_older_cell_that_two_columns_name_becomes_a_refresh_token() {
    for home in Home::all().await {
        let broker = home.start().await;
        let refresh = home.provider.grant();
        broker.connect("ada", &refresh, 3600).await;
        age(&home, &broker).await;
        for column in ["cell", "hash"] {
            home.execute(&format!(
                "UPDATE tokens SET {column} = (SELECT refresh_{column} FROM grants WHERE id = grant_id)"
            ))
            .await;
        }
        broker.stop().await;
        let output = run(&home.configuration(""), &["rekey", "--cells", "--settle-seconds", "0"]).await;
        assert!(output.status.success() && out(&output).contains("2 cells sealed anew"), "{output:?}");
        let broker = home.start().await;
        let given = broker.token("ada", json!({"provider": "example"})).await;
        assert!(given.status == 200 && !given.body.to_string().contains(&refresh), "{given:?}");
    }
}
