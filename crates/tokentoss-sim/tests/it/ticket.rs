//! Tickets that are not usable are refused before anything happens.

use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use serde_json::{Value, json};
use tokentoss_core::flow::{Flow, Input};
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, START};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn ticket() -> Value {
    Kernel::new(&mut ChaCha20Rng::seed_from_u64(1)).ticket().clone()
}

fn code_of(ticket: &str) -> ErrorCode {
    Ticket::from_json(ticket).expect_err("a refusal").code()
}

#[test]
fn malformed_tickets_are_refused() {
    for bad in ["", "null", "{}", "[]", "\"x\"", "{\"version\":1}"] {
        assert_eq!(code_of(bad), ErrorCode::TicketInvalid, "{bad}");
    }
    for (member, value) in [
        ("version", json!(2)),
        ("id", json!("")),
        ("client_id", json!("")),
        ("nonce", json!("")),
        ("public_key", json!("AAAA")),
        ("public_key", json!("not base64url")),
        ("redirect_uri", json!("https://elsewhere.example/callback")),
        ("redirect_uri", json!("http://127.0.0.1:1/?a=b")),
        ("scopes", json!("openid")),
        ("provider", json!(null)),
    ] {
        let mut bad = ticket();
        bad[member] = value;
        assert_eq!(code_of(&bad.to_string()), ErrorCode::TicketInvalid, "{member}");
    }
}

#[test]
fn an_unknown_way_to_authenticate_is_refused() {
    let mut bad = ticket();
    bad["provider"]["token_endpoint_auth_method"] = json!("private_key_jwt");
    assert_eq!(code_of(&bad.to_string()), ErrorCode::TicketInvalid);
}

#[test]
fn c54_algorithms_that_prove_nothing_are_refused() {
    for algorithms in [json!([]), json!(["none"]), json!(["RS256", "none"]), json!(["HS256"])] {
        let mut bad = ticket();
        bad["provider"]["id_token_signing_algs"] = algorithms;
        assert_eq!(code_of(&bad.to_string()), ErrorCode::TicketInvalid);
    }
}

struct Broken;

impl TryRng for Broken {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), std::fmt::Error> {
        Err(std::fmt::Error)
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn c3_without_random_numbers_there_is_no_sign_in() {
    let mut flow = Flow::new(Ticket::from_json(&ticket().to_string()).expect("a ticket"));
    flow.handle(START, Input::SignIn, &mut Broken).expect("taken");
    let status = flow.status();
    assert_eq!(status.problem.as_ref().map(|problem| problem.code()), Some("entropy_unavailable"));
    while let Some(output) = flow.poll() {
        assert!(!format!("{output:?}").contains("OpenPopup"));
    }
}
