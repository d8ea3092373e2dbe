//! The providers that come with the Python package: each makes a ticket that a page can use.

use std::fs;
use std::path::PathBuf;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, PAGE};

const AUTH_METHODS: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];

fn providers() -> Map<String, Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../python/tokentoss/oauth/providers.json");
    let text = fs::read_to_string(path).expect("the file");
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["version"], 1);
    let Value::Object(entries) = document["providers"].take() else { panic!("no providers") };
    assert!(entries.len() >= 10);
    entries
}

/// An entry with the examples of its parameters in its addresses.
fn filled(entry: &Value) -> Value {
    let mut text = entry.to_string();
    for (name, parameter) in entry["parameters"].as_object().into_iter().flatten() {
        text = text.replace(&format!("{{{name}}}"), parameter["example"].as_str().expect("an example"));
    }
    serde_json::from_str(&text).expect("JSON")
}

/// The ticket that the kernel publishes for an entry.
fn ticket(entry: &Value) -> Value {
    let mut ticket = Kernel::new(&mut ChaCha20Rng::seed_from_u64(1)).ticket().clone();
    let member = |name: &str, default: Value| entry.get(name).cloned().unwrap_or(default);
    let is_openid = member("openid_connect", json!(true)) == json!(true);
    ticket["scopes"] = entry["scopes"].clone();
    ticket["provider"] = json!({
        "issuer": entry["issuer"],
        "authorization_endpoint": entry["authorization_endpoint"],
        "token_endpoint": entry["token_endpoint"],
        "iss_parameter_supported": member("iss_parameter_supported", json!(false)),
        "authorization_params": member("authorization_params", json!({})),
        "id_token_signing_algs": member("id_token_signing_algs", json!(["RS256"])),
        "openid_connect": is_openid,
        "token_endpoint_cors": member("token_endpoint_cors", Value::Null),
    });
    ticket
}

#[test]
fn every_entry_makes_a_ticket() {
    for (name, entry) in providers() {
        let entry = filled(&entry);
        let made = Ticket::from_json(&ticket(&entry).to_string(), PAGE);
        let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(made.provider().issuer(), entry["issuer"], "{name}");
        let text = entry.to_string();
        assert!(!text.contains("{tenant}") && !text.contains("{domain}") && !text.contains("{realm}"));
    }
}

#[test]
fn c10_every_endpoint_is_https() {
    for (name, entry) in providers() {
        for (member, value) in filled(&entry).as_object().expect("an object") {
            if member == "issuer" || member == "jwks_uri" || member.ends_with("_endpoint") {
                assert!(value.as_str().is_some_and(|url| url.starts_with("https://")), "{name}: {member}");
            }
        }
    }
}

#[test]
fn every_entry_uses_known_values() {
    for (name, entry) in providers() {
        let method = entry["token_endpoint_auth_method"].as_str().expect("a method");
        assert!(AUTH_METHODS.contains(&method), "{name}");
        let is_openid = entry.get("openid_connect") != Some(&json!(false));
        assert_eq!(is_openid, entry.get("jwks_uri").is_some(), "{name}");
        assert_eq!(!is_openid, entry.get("identity_endpoint").is_some(), "{name}");
        assert!(entry["sources"].as_array().is_some_and(|sources| !sources.is_empty()), "{name}");
    }
}

#[test]
fn c11_an_entry_with_a_protected_parameter_is_refused() {
    let mut entry = filled(&providers()["google"]);
    entry["authorization_params"]["state"] = json!("x");
    let refusal = Ticket::from_json(&ticket(&entry).to_string(), PAGE).expect_err("a refusal");
    assert_eq!(refusal.code(), ErrorCode::ParameterProtected);
}
