//! Vectors that Rust, TypeScript and Python share, in `tests/vectors`.
//!
//! With `UPDATE_VECTORS=1` the files that Rust owns are written anew.

use std::path::PathBuf;
use std::{env, fs};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use tokentoss_core::base64url;
use tokentoss_core::configuration::Client;
use tokentoss_core::pkce::CodeVerifier;
use tokentoss_core::registration::AnswerKey;
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, PAGE};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name)
}

pub(crate) fn read(name: &str) -> Value {
    let text = fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with the file, or writes it when asked to.
fn assert_current(name: &str, current: &Value) {
    if env::var_os("UPDATE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(current).expect("JSON") + "\n";
        fs::write(path(name), text).expect("a writable file");
    }
    assert_eq!(&read(name), current, "{name} is out of date: run with UPDATE_VECTORS=1");
}

/// The part of the table that the flow needs, as the source that `crates/tokentoss-core/src/error/table.rs` holds.
#[test]
fn error_table() {
    let core = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tokentoss-core");
    let read =
        |file: &str| fs::read_to_string(core.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let rows: Vec<Value> = serde_json::from_str(&read("error_codes.json")).expect("a list of codes");
    let texts = read("../../python/tokentoss/texts/en.json");
    let texts: Value = serde_json::from_str(&texts).expect("sections of texts");
    let codes: Vec<&str> = rows.iter().map(|row| row["code"].as_str().expect("a code")).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "sorted, and none twice");
    let mut table =
        "// Made from error_codes.json and texts/en.json by the test `vectors::error_table`; do not edit.\n\ncodes! {\n"
            .to_owned();
    for row in rows.iter().filter(|row| row["in_flow"] == true) {
        let name = |key: &str| -> String {
            let words = row[key].as_str().expect("a name").split('_');
            words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
        };
        let (variant, culprit) = (name("code"), name("culprit"));
        let text = |section: &str| &texts[section][row["code"].as_str().expect("a code")];
        let subject = text("subjects").as_str().unwrap_or_default();
        table += &format!("    {variant} {} {culprit} {subject:?} {};\n", row["code"], text("errors"));
    }
    table += "}\n";
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(core.join("src/error/table.rs"), &table).expect("a writable file");
    }
    assert!(read("src/error/table.rs") == table, "table.rs is out of date: run with UPDATE_VECTORS=1");
    let known = rows.iter().filter(|row| row["in_flow"] == true).count();
    assert_eq!(ErrorCode::ALL.len(), known);
}

#[test]
fn c3_pkce() {
    let mut vectors = vec![json!({
        "name": "RFC 7636 appendix B",
        "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    })];
    for seed in 0..4 {
        let verifier = CodeVerifier::generate(&mut ChaCha20Rng::seed_from_u64(seed)).expect("a verifier");
        vectors.push(json!({
            "name": format!("seed {seed}"), "verifier": verifier.expose(), "challenge": verifier.challenge(),
        }));
    }
    assert_current("pkce.json", &Value::Array(vectors));
}

#[test]
fn nonces() {
    let mut kernel = Kernel::new(&mut ChaCha20Rng::seed_from_u64(1));
    let vectors: Vec<Value> = [("n", "s"), ("n", ""), ("ticket-nonce", "salt"), ("ticket", "-noncesalt")]
        .into_iter()
        .map(|(ticket_nonce, salt)| {
            kernel.ticket()["nonce"] = ticket_nonce.into();
            let ticket = Ticket::from_json(&kernel.ticket().to_string(), PAGE).expect("a ticket");
            json!({"ticket_nonce": ticket_nonce, "salt": salt, "nonce": ticket.nonce_for(salt)})
        })
        .collect();
    assert_current("nonces.json", &Value::Array(vectors));
}

const PURPOSES: [(Purpose, &str); 8] = [
    (Purpose::Tokens, "tokens"),
    (Purpose::Callback, "callback"),
    (Purpose::Code, "code"),
    (Purpose::Registration, "registration"),
    (Purpose::Introduced, "introduced"),
    (Purpose::Registered, "registered"),
    (Purpose::Start, "start"),
    (Purpose::DeviceTokens, "device_tokens"),
];

#[test]
fn c71_sealed_in_rust() {
    let texts = ["", "{\"version\":1}", "grüße: £ € 漢字", &"x".repeat(3000)];
    let mut vectors = Vec::new();
    for (purpose, label) in PURPOSES {
        for (at, text) in texts.iter().enumerate() {
            let mut rng = ChaCha20Rng::seed_from_u64(at as u64 + 10);
            let private_key: [u8; 32] =
                std::array::from_fn(|i| (i as u8).wrapping_mul(7).wrapping_add(at as u8 + 1));
            let keys = KeyPair::from_private_key(&private_key).expect("a key pair");
            let binding = Binding {
                ticket_id: "AAECAwQFBgcICQoLDA0ODw",
                client_id: "1234.apps.googleusercontent.com",
                issuer: "https://accounts.google.com",
            };
            let sealed = keys.public().seal(purpose, binding, text.as_bytes(), &mut rng).expect("sealed");
            vectors.push(json!({
                "name": format!("{label} {at}"),
                "purpose": label,
                "ticket": binding.ticket_id,
                "client_id": binding.client_id,
                "issuer": binding.issuer,
                "recipient_private_key": base64url::encode(&private_key),
                "recipient_public_key": keys.public().to_base64url(),
                "plaintext": base64url::encode(text.as_bytes()),
                "sealed": sealed,
            }));
        }
    }
    let vectors = Value::Array(vectors);
    assert_all_open(&vectors);
    assert_current("hpke.json", &vectors);
}

#[test]
fn c71_a_client_sealed_in_rust() {
    let clients = [
        Client::Credentials {
            client_id: "1234.apps.googleusercontent.com",
            client_secret: "GOCSPX-not-a-secret",
            project_id: "project-1",
        },
        Client::Credentials { client_id: "ü", client_secret: "", project_id: "" },
        Client::File { name: "client_secret.json", content: b"{\"installed\":{}}" },
        Client::File { name: "", content: &[0, 255] },
    ];
    let mut vectors = Vec::new();
    for (at, client) in clients.iter().enumerate() {
        let keys = KeyPair::from_private_key(&[at as u8 + 1; 32]).expect("a key pair");
        let ticket_id = "AAECAwQFBgcICQoLDA0ODw";
        let mut rng = ChaCha20Rng::seed_from_u64(at as u64);
        let sealed = client.seal(ticket_id, keys.public(), &mut rng).expect("sealed");
        let binding = Binding { ticket_id, client_id: "", issuer: "" };
        let plaintext = keys.open(Purpose::Configuration, binding, &sealed).expect("opens");
        assert!(keys.open(Purpose::Tokens, binding, &sealed).is_none(), "for one purpose only");
        let parts = match *client {
            Client::Credentials { client_id, client_secret, project_id } => {
                json!({"client_id": client_id, "client_secret": client_secret, "project_id": project_id})
            }
            Client::File { name, content } => json!({"name": name, "content": base64url::encode(content)}),
        };
        vectors.push(json!({
            "ticket": ticket_id,
            "recipient_private_key": base64url::encode(&[at as u8 + 1; 32]),
            "plaintext": base64url::encode(&plaintext),
            "sealed": sealed,
            "parts": parts,
        }));
    }
    assert_current("configuration.json", &Value::Array(vectors));
}

/// The answers that Python made open as they say, and only so.
#[test]
fn answers_of_the_kernel() {
    let vectors = read("answers.json");
    let vectors = vectors.as_array().expect("a list");
    assert!(vectors.iter().any(|vector| vector["opens"] == false));
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"));
        let key = AnswerKey::from_base64url(text("answer_key")).expect("a key");
        let page_key = PublicKey::from_base64url(text("page_key")).expect("a key");
        let opened = key.open(text("ticket"), &page_key, text("wire"));
        let plaintext = base64url::decode(text("plaintext")).expect("base64url");
        let expected = (vector["opens"] == true).then_some(&plaintext);
        assert_eq!(opened.as_deref(), expected, "{}", text("name"));
    }
}

#[test]
fn c71_sealed_in_python_opens_in_rust() {
    assert_all_open(&read("hpke_python.json"));
}

fn assert_all_open(vectors: &Value) {
    let vectors = vectors.as_array().expect("a list");
    assert!(!vectors.is_empty());
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"));
        let bytes =
            |name: &str| base64url::decode(text(name)).unwrap_or_else(|| panic!("{name} in {vector}"));
        let private_key: [u8; 32] = bytes("recipient_private_key").try_into().expect("32 bytes");
        let keys = KeyPair::from_private_key(&private_key).expect("a key pair");
        assert_eq!(keys.public().to_base64url(), text("recipient_public_key"));
        let (purpose, _) =
            PURPOSES.into_iter().find(|(_, label)| *label == text("purpose")).expect("a purpose");
        let binding =
            Binding { ticket_id: text("ticket"), client_id: text("client_id"), issuer: text("issuer") };
        let opened = keys.open(purpose, binding, text("sealed"));
        assert_eq!(opened.as_deref(), Some(&bytes("plaintext")), "{}", text("name"));
        let other = Binding { ticket_id: "another", ..binding };
        assert!(keys.open(purpose, other, text("sealed")).is_none());
    }
}
