//! Nobody answers on the kernel's port, or not in time: the popup goes on to the provider by the next way.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase, Way, WindowId};
use tokentoss_sim::{LISTENER, Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn c33_a_silent_start_page_is_left_after_a_second() {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.user = User::Waits;
    world.sign_in();
    assert_eq!(world.way(), Some(Way::Loopback));
    world.pass(Duration::from_millis(999));
    assert_eq!(world.provider.authorization_requests.len(), 0);
    world.pass(Duration::from_millis(1));
    assert_eq!((world.phase(), world.way(), world.problem()), (Phase::Waiting, Some(Way::Paste), None));
    assert_eq!(world.browser.windows.len(), 1, "the same popup");
    let popup = world.popup();
    assert_eq!(*world.browser.place(popup), Place::Provider);
    assert_eq!(world.flow.status().link.as_ref(), world.provider.authorization_requests.last());
    assert_eq!(world.redirect_uri(), format!("{LISTENER}/callback"));
}

#[test]
fn a_callback_page_comes_before_the_paste() {
    let world =
        World::steered(|kernel| kernel.ticket()["callback_pages"] = json!(["https://pages.example/cb"]));
    assert_eq!(world.way(), Some(Way::CallbackPage));
    assert_eq!(world.redirect_uri(), "https://pages.example/cb");
}

#[test]
fn a_start_page_that_is_ready_in_time_is_not_left() {
    let mut world = World::at_provider();
    world.pass(SECOND * 60);
    assert_eq!(world.way(), Some(Way::Loopback));
    assert_eq!(world.provider.authorization_requests.len(), 1);
    assert!(world.to_kernel.is_empty(), "the start page has registered");
}

#[test]
fn a_listener_that_hangs_after_ready_is_left_too() {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.input(Input::SignIn);
    let window = world.popup();
    // A start page that knocks and never gets its answer through.
    for _ in 0..40 {
        world.message(LISTENER, Some(window), r#"{"type":"ready"}"#);
        world.pass(Duration::from_millis(50));
    }
    assert_eq!(world.way(), Some(Way::Loopback));
    world.user = User::Waits;
    world.pass(SECOND * 4);
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)), "knocking prolongs nothing");
}

#[test]
fn a_loopback_that_works_later_ends_in_tokens() {
    let mut world = World::steered(|_| {});
    world.kernel.reachable = true;
    world.user = User::Accepts;
    let popup = world.popup();
    let url = world.provider.authorization_requests[0].clone();
    world.reach_provider(popup, &url);
    assert!(matches!(world.browser.place(popup), Place::CallbackPage(_)), "the kernel was told of the state");
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.tokens.len(), 1);
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn a_ready_that_comes_late_is_answered_and_both_registrations_serve() {
    let mut world = World::steered(|_| {});
    let popup = world.popup();
    let fragment = world.start_fragment.clone();
    *world.browser.place(popup) = Place::StartPage(fragment);
    world.kernel.reachable = true;
    world.user = User::Accepts;
    world.message(LISTENER, Some(popup), r#"{"type":"ready"}"#);
    world.message(LISTENER, Some(popup), r#"{"type":"ready"}"#);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.token_requests.len(), 1);
}

#[test]
fn c4_what_was_given_up_for_a_callback_page_answers_nothing() {
    let mut world =
        World::with(|kernel| kernel.ticket()["callback_pages"] = json!(["https://pages.example/cb"]));
    world.user = User::Waits;
    world.input(Input::SignIn);
    let popup = world.popup();
    world.step();
    let loopback = world.provider.authorization_requests[0].clone();
    world.pass(SECOND * 10);
    assert_eq!(world.way(), Some(Way::Loopback), "registered");

    // The registration's answer is lost instead: the page steers, and the first request's answer comes after all.
    let mut world =
        World::with(|kernel| kernel.ticket()["callback_pages"] = json!(["https://pages.example/cb"]));
    world.kernel.reachable = false;
    world.user = User::Waits;
    world.input(Input::SignIn);
    world.message(LISTENER, Some(popup), r#"{"type":"ready"}"#);
    world.pass(SECOND * 6);
    assert_eq!(world.way(), Some(Way::CallbackPage));
    assert_ne!(world.provider.authorization_requests[0], loopback);
    let old = world.provider.authorize(&loopback, User::Accepts).expect("an answer");
    let text = json!({"type": "callback", "query": old}).to_string();
    world.message(LISTENER, Some(popup), &text);
    assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("origin_mismatch"));
    world.message("https://pages.example", Some(popup), &text);
    assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("state_mismatch"));
    assert_eq!(world.phase(), Phase::Waiting);
}

#[test]
fn strangers_cannot_steer_back_or_pose_as_the_start_page() {
    let mut world = World::steered(|_| {});
    for text in
        [r#"{"type":"ready"}"#, r#"{"type":"registered","answer":""}"#, r#"{"type":"refused","code":"x"}"#]
    {
        world.message(LISTENER, Some(WindowId(99)), text);
        assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("source_mismatch"));
    }
    let popup = world.popup();
    world.message(LISTENER, Some(popup), r#"{"type":"refused","code":"proof_mismatch"}"#);
    assert_eq!(
        (world.phase(), world.way()),
        (Phase::Waiting, Some(Way::Paste)),
        "a late refusal ends nothing"
    );
}

#[test]
fn the_next_attempt_begins_with_loopback_again() {
    let mut world = World::steered(|_| {});
    world.input(Input::Cancel);
    assert_eq!(world.browser.open_windows(), 0);
    world.kernel.reachable = true;
    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert!(world.shown.iter().any(|status| status.way == Some(Way::Loopback)));
}

#[test]
fn waiting_has_an_end_by_every_way() {
    for pages in [json!([]), json!(["https://pages.example/cb"])] {
        let mut world = World::steered(|kernel| kernel.ticket()["callback_pages"] = pages.clone());
        world.pass(SECOND * 601);
        assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("sign_in_timed_out")));
    }
}

#[test]
fn a_page_that_is_no_browsers_begins_at_the_provider() {
    let mut world = World::on_page("vscode-webview://1a2b3c", |_| {});
    world.browser.blocks_popups = true;
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("popup_blocked")));
    assert_eq!(world.way(), Some(Way::Paste));
    let link = world.flow.status().link.clone().expect("a link");
    assert!(link.starts_with("https://as.example/authorize?"), "{link}");
    // Another browser: what is opened there has no opener.
    world.browser.severs_openers = true;
    world.follow_link();
    world.settle();
    assert_eq!(world.phase(), Phase::Done, "the kernel's listener is on this machine");
}
