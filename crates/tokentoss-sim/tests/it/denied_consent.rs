//! The user, or the provider, says no.

use tokentoss_core::flow::Phase;
use tokentoss_sim::{User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c44_declined_consent_is_said_plainly() {
    let mut world = World::new();
    world.user = User::Declines;
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("access_denied")));
    assert!(world.provider.token_requests.is_empty());
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn a_retry_works() {
    let mut world = World::new();
    world.user = User::Declines;
    world.sign_in();
    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c44_every_authorization_error_keeps_its_code() {
    for (error, code) in [
        ("access_denied", "access_denied"),
        ("account_selection_required", "account_selection_required"),
        ("consent_required", "consent_required"),
        ("interaction_required", "interaction_required"),
        ("invalid_request", "invalid_request"),
        ("invalid_scope", "invalid_scope"),
        ("login_required", "login_required"),
        ("server_error", "server_error"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("unauthorized_client", "unauthorized_client"),
        ("unsupported_response_type", "unsupported_response_type"),
        ("admin_policy_enforced", "provider_error"),
    ] {
        let mut world = World::at_provider();
        let query = world.honest_callback().replace("code=code-1", &format!("error={error}"));
        world.callback_message(&query);
        assert_eq!(world.problem(), Some(code));
        assert!(world.provider.token_requests.is_empty());
    }
}

#[test]
fn c44_the_providers_text_is_never_markup() {
    let mut world = World::at_provider();
    let query = world.honest_callback().replace("code=code-1", "error=%3Cb%3Ex%1b%3C/b%3E");
    world.callback_message(&query);
    let message = world.flow.status().problem.as_ref().expect("a problem").message();
    assert_eq!(world.problem(), Some("provider_error"));
    assert!(!message.contains(['<', '>', '\u{1b}']), "{message}");
}
