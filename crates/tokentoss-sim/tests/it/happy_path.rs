//! A click becomes tokens in the kernel.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;

#[test]
fn a_public_client_signs_in() {
    let mut world = World::new();
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    let phases: Vec<&str> = world.shown.iter().map(|status| status.phase.as_str()).collect();
    assert_eq!(phases, ["ready", "waiting", "signing_in", "handing_over", "done"]);

    let tokens = &world.kernel.tokens[0];
    assert_eq!(tokens["access_token"], "access-1");
    assert_eq!(tokens["refresh_token"], "refresh-1");
    assert_eq!(tokens["scopes"], serde_json::json!(["openid", "email"]));
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["received_at"], tokentoss_sim::START.as_secs());
    assert_eq!(world.kernel.tokens.len(), 1);
}

#[test]
fn nothing_is_left_behind() {
    let mut world = World::new();
    world.sign_in();
    assert_eq!(world.browser.open_windows(), 0);
    assert!(!world.browser.listening);
    assert_eq!(world.flow.next_timer(), None);
    assert_eq!(world.dropped, []);
}

#[test]
fn a_client_with_a_secret_signs_in() {
    let mut world = World::with(|kernel| {
        kernel.client_secret = Some("s3cret".into());
        kernel.ticket()["client_secret_sealed"] = true.into();
    });
    world.provider.client_secret = Some("s3cret".into());
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.token_requests[0]["client_secret"], "s3cret");
}

#[test]
fn c18_c20_a_severed_popup_is_relayed_by_the_kernel() {
    let mut world = World::new();
    world.browser.severs_openers = true;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
}

#[test]
fn a_busy_kernel_gets_the_tokens_through_the_callback_page() {
    let mut world = World::new();
    world.kernel.busy = true;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
}

#[test]
fn c41_c43_the_token_request_is_sent_once_with_the_right_form() {
    let mut world = World::new();
    world.sign_in();
    let [form] = &world.provider.token_requests[..] else { panic!("one token request") };
    let names: Vec<&str> = form.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!(
        form["redirect_uri"], "http://127.0.0.1:4711/callback",
        "the token request repeats the redirect URI (C9)"
    );
}

#[test]
fn c13_narrower_scopes_are_reported() {
    let mut world = World::new();
    world.provider.tamper_response = |response| {
        response.insert("scope".into(), "openid".into());
    };
    world.sign_in();
    assert_eq!(world.kernel.tokens[0]["scopes"], serde_json::json!(["openid"]));

    let mut world = World::new();
    world.provider.tamper_response = |response| {
        response.remove("scope");
    };
    world.sign_in();
    assert_eq!(world.kernel.tokens[0]["scopes"], serde_json::json!(["openid", "email"]));
}
