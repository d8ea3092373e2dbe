//! What the popup carries to the provider.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tokentoss_core::flow::Input;
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, PAGE, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn parameters(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').expect("a query").1;
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn c1_c2_c7_c8_c9_the_parameters_are_complete() {
    let world = World::at_provider();
    let [url] = &world.provider.authorization_requests[..] else { panic!("one request") };
    let sent = parameters(url);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"].len(), 43);
    assert_eq!(sent["scope"], "openid email");
    assert_eq!(sent["redirect_uri"], "http://127.0.0.1:4711/callback");
    assert_eq!(sent["access_type"], "offline");
    assert_eq!(sent["state"].len(), 43);
    assert_eq!(sent["nonce"].len(), 43);
}

#[test]
fn c4_every_attempt_is_fresh() {
    let mut world = World::new();
    world.user = User::Waits;
    for _ in 0..10_000 {
        world.input(Input::SignIn);
        world.settle();
        world.input(Input::Cancel);
    }
    for name in ["state", "nonce", "code_challenge"] {
        let distinct: BTreeSet<String> =
            world.provider.authorization_requests.iter().map(|url| parameters(url)[name].clone()).collect();
        assert_eq!(distinct.len(), 10_000, "{name}");
    }
}

#[test]
fn c5_the_verifier_stays_in_the_page() {
    let mut world = World::new();
    world.sign_in();
    let verifier = &world.provider.token_requests[0]["code_verifier"];
    assert!(!world.provider.authorization_requests[0].contains(verifier.as_str()));
    assert!(!world.kernel.tokens[0].to_string().contains(verifier.as_str()));
}

fn refused(change: impl FnOnce(&mut Kernel)) -> ErrorCode {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([3; 32]);
    let mut kernel = Kernel::new(&mut rng);
    change(&mut kernel);
    Ticket::from_json(&kernel.ticket().to_string(), PAGE).expect_err("a refusal").code()
}

use rand_core::SeedableRng;

#[test]
fn c8_openid_is_required() {
    assert_eq!(refused(|k| k.ticket()["scopes"] = json!(["email"])), ErrorCode::ScopeOpenidMissing);
}

#[test]
fn c11_protected_parameters_cannot_be_overridden() {
    for name in [
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "response_type",
        "response_mode",
        "scope",
        "request",
        "request_uri",
    ] {
        let by_parameter = refused(|k| k.ticket()["provider"]["authorization_params"] = json!({name: "x"}));
        assert_eq!(by_parameter, ErrorCode::ParameterProtected, "{name}");
        let endpoint = format!("https://as.example/authorize?{name}=x");
        let by_query = refused(|k| k.ticket()["provider"]["authorization_endpoint"] = json!(endpoint));
        assert_eq!(by_query, ErrorCode::ParameterProtected, "{name}");
    }
}

#[test]
fn c10_endpoints_that_are_not_https_never_reach_the_popup() {
    for endpoint in ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "http://as.example/a"]
    {
        for member in ["authorization_endpoint", "token_endpoint", "issuer"] {
            let code = refused(|k| k.ticket()["provider"][member] = json!(endpoint));
            assert_eq!(code, ErrorCode::EndpointInsecure, "{member} {endpoint}");
        }
    }
}

#[test]
fn hints_are_sent_when_they_are_set() {
    let mut world = World::with(|kernel| {
        kernel.ticket()["login_hint"] = json!("ada@example.com");
        kernel.ticket()["hosted_domain"] = json!("example.com");
    });
    world.sign_in();
    let sent = parameters(&world.provider.authorization_requests[0]);
    assert_eq!((sent["login_hint"].as_str(), sent["hd"].as_str()), ("ada@example.com", "example.com"));
}
