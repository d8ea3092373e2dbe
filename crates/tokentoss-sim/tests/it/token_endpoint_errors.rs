//! The token endpoint says no, or nothing.

use tokentoss_core::flow::Phase;
use tokentoss_sim::{Answer, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn sign_in(answer: Answer) -> World {
    let mut world = World::new();
    world.provider.answer = answer;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Failed);
    assert!(world.kernel.tokens.is_empty());
    assert_eq!(world.deliveries, 0);
    assert_eq!(world.browser.open_windows(), 0);
    assert_eq!(world.provider.token_requests.len(), 1, "a code is never sent twice (C43)");
    world
}

#[test]
fn c44_every_error_keeps_its_code() {
    for (error, code) in [
        ("invalid_client", "invalid_client"),
        ("invalid_grant", "invalid_grant"),
        ("invalid_request", "invalid_request"),
        ("invalid_scope", "invalid_scope"),
        ("unauthorized_client", "unauthorized_client"),
        ("unsupported_grant_type", "unsupported_grant_type"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("org_internal", "provider_error"),
    ] {
        for status in [400, 401, 403, 500] {
            let body = format!(r#"{{"error":"{error}","error_description":"x"}}"#);
            assert_eq!(sign_in(Answer::Raw(status, body)).problem(), Some(code), "{status}");
        }
    }
}

#[test]
fn c43_a_lost_answer_is_not_asked_for_again() {
    assert_eq!(sign_in(Answer::Unreachable).problem(), Some("token_endpoint_unreachable"));
}

#[test]
fn c45_errors_without_a_body_we_can_read() {
    for (status, body) in [
        (500, "<html>Bad gateway</html>"),
        (503, ""),
        (429, "{}"),
        (400, "{\"error\":1}"),
        (400, "[\"invalid_grant\"]"),
        (404, "{\"error\":\"invalid_grant\""),
        (302, ""),
        (204, ""),
        (201, "{\"access_token\":\"x\"}"),
    ] {
        assert_eq!(
            sign_in(Answer::Raw(status, body.into())).problem(),
            Some("token_endpoint_failed"),
            "{status}"
        );
    }
}

#[test]
fn the_message_names_the_endpoint() {
    let world = sign_in(Answer::Raw(500, String::new()));
    let message = world.flow.status().problem.as_ref().expect("a problem").message();
    assert!(message.contains("as.example"), "{message}");
}
