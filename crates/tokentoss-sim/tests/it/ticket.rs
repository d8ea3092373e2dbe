//! Tickets that are not usable are refused before anything happens.

use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use serde_json::{Value, json};
use tokentoss_core::flow::{Flow, Input};
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, PAGE, START};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn ticket() -> Value {
    Kernel::new(&mut ChaCha20Rng::seed_from_u64(1)).ticket().clone()
}

fn code_of(ticket: &str) -> ErrorCode {
    Ticket::from_json(ticket, PAGE).expect_err("a refusal").code()
}

#[test]
fn malformed_tickets_are_refused() {
    for bad in ["", "null", "{}", "[]", "\"x\"", "{\"version\":1}"] {
        assert_eq!(code_of(bad), ErrorCode::TicketInvalid, "{bad}");
    }
    for (member, value) in [
        ("version", json!(1)),
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
fn the_device_authorization_endpoint_may_be_missing_but_not_wrong() {
    for (endpoint, code) in [
        (json!("http://as.example/device"), ErrorCode::EndpointInsecure),
        (json!("javascript:alert(1)"), ErrorCode::EndpointInsecure),
        (json!("https://as.example/device#x"), ErrorCode::EndpointInsecure),
        (json!(""), ErrorCode::EndpointInsecure),
        (json!(7), ErrorCode::TicketInvalid),
        (json!(["https://as.example/device"]), ErrorCode::TicketInvalid),
    ] {
        let mut bad = ticket();
        bad["provider"]["device_authorization_endpoint"] = endpoint.clone();
        assert_eq!(code_of(&bad.to_string()), code, "{endpoint}");
    }
    let mut without = ticket();
    let provider = without["provider"].as_object_mut().expect("an object");
    provider.remove("device_authorization_endpoint");
    let without = Ticket::from_json(&without.to_string(), PAGE).expect("a ticket");
    assert!(without.provider().device_authorization_endpoint().is_none());
}

#[test]
fn a_way_for_the_answer_must_be_there() {
    let mut without_listener = ticket();
    without_listener["redirect_uri"] = json!(null);
    assert_eq!(code_of(&without_listener.to_string()), ErrorCode::TicketInvalid);
    without_listener["callback_pages"] = json!([]);
    assert_eq!(code_of(&without_listener.to_string()), ErrorCode::TicketInvalid);
    without_listener["callback_pages"] = json!(["https://pages.example/callback.html"]);
    assert!(Ticket::from_json(&without_listener.to_string(), PAGE).is_ok());
    without_listener.as_object_mut().expect("an object").remove("redirect_uri");
    assert!(Ticket::from_json(&without_listener.to_string(), PAGE).is_ok());
}

#[test]
fn c10_callback_pages_are_fit_for_a_code() {
    for (page, code) in [
        (json!(["javascript:alert(1)"]), ErrorCode::EndpointInsecure),
        (json!(["https://pages.example/", "http://pages.example/"]), ErrorCode::EndpointInsecure),
        (json!(["https://pages.example/#x"]), ErrorCode::EndpointInsecure),
        (json!(["https://pages.example/?x=1"]), ErrorCode::TicketInvalid),
        (json!("https://pages.example/"), ErrorCode::TicketInvalid),
        (json!([1]), ErrorCode::TicketInvalid),
    ] {
        let mut bad = ticket();
        bad["callback_pages"] = page.clone();
        assert_eq!(code_of(&bad.to_string()), code, "{page}");
    }
    let mut plain = ticket();
    plain["callback_pages"] = json!(["http://hub.example:8000/callback.html"]);
    assert_eq!(code_of(&plain.to_string()), ErrorCode::EndpointInsecure);
    assert!(
        Ticket::from_json(&plain.to_string(), "http://hub.example:8000").is_ok(),
        "no safer than the page"
    );
}

#[test]
fn the_callback_page_of_the_pages_own_origin_is_chosen() {
    let mut several = ticket();
    several["callback_pages"] =
        json!(["https://first.example/cb", "https://hub.example/cb", "https://hub.example/other"]);
    let chosen = |origin: &str| {
        let ticket = Ticket::from_json(&several.to_string(), origin).expect("a ticket");
        ticket.callback_page().map(|page| (page.url.as_str().to_owned(), page.same_origin))
    };
    assert_eq!(chosen(PAGE), Some(("https://hub.example/cb".into(), true)));
    assert_eq!(chosen("https://elsewhere.example"), Some(("https://first.example/cb".into(), false)));
    assert_eq!(chosen("null"), Some(("https://first.example/cb".into(), false)));
}

#[test]
fn who_exchanges_the_code_is_one_of_three() {
    for (exchange, good) in [
        (json!("auto"), true),
        (json!("browser"), true),
        (json!("kernel"), true),
        (json!("both"), false),
        (json!(1), false),
    ] {
        let mut changed = ticket();
        changed["exchange"] = exchange.clone();
        assert_eq!(Ticket::from_json(&changed.to_string(), PAGE).is_ok(), good, "{exchange}");
    }
}

#[test]
fn a_provider_without_openid_connect_is_the_kernels() {
    let mut plain = ticket();
    plain["provider"]["openid_connect"] = json!(false);
    plain["provider"]["id_token_signing_algs"] = json!([]);
    plain["scopes"] = json!(["repo"]);
    assert!(Ticket::from_json(&plain.to_string(), PAGE).is_ok());
    plain["exchange"] = json!("browser");
    assert_eq!(code_of(&plain.to_string()), ErrorCode::TicketInvalid);
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
    let mut flow = Flow::new(Ticket::from_json(&ticket().to_string(), PAGE).expect("a ticket"));
    flow.handle(START, Input::SignIn, &mut Broken).expect("taken");
    let status = flow.status();
    assert_eq!(status.problem.as_ref().map(|problem| problem.code()), Some("entropy_unavailable"));
    while let Some(output) = flow.poll() {
        assert!(!format!("{output:?}").contains("OpenPopup"));
    }
}
