//! A static callback page takes the answer: from another origin to its opener, from the page's own also by broadcast.

use serde_json::json;
use tokentoss_core::Secret;
use tokentoss_core::flow::{Input, Phase, Way, WindowId};
use tokentoss_sim::{Kernel, LISTENER, Place, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ELSEWHERE: &str = "https://pages.example";

fn elsewhere(kernel: &mut Kernel) {
    kernel.ticket()["redirect_uri"] = json!(null);
    kernel.ticket()["callback_pages"] = json!([format!("{ELSEWHERE}/cb")]);
}

fn on_own_origin(kernel: &mut Kernel) {
    kernel.ticket()["redirect_uri"] = json!(null);
    kernel.ticket()["callback_pages"] = json!(["https://hub.example/cb"]);
}

fn last_drop(world: &World) -> Option<&str> {
    world.dropped.last().map(|error| error.code().as_str())
}

#[test]
fn without_a_listener_the_click_leads_straight_to_the_provider() {
    for change in [elsewhere, on_own_origin] {
        let mut world = World::with(change);
        world.sign_in();
        assert_eq!(world.phase(), Phase::Done);
        assert_eq!(world.browser.windows.len(), 1);
        assert_eq!(world.browser.open_windows(), 0, "the page was told that it is done");
        assert!(!world.browser.listening);
        assert!(world.shown.iter().all(|status| status.way.is_none_or(|way| way == Way::CallbackPage)));
        assert_eq!((world.provider.token_requests.len(), world.kernel.tokens.len()), (1, 1));
    }
}

#[test]
fn c20_a_severed_page_of_the_own_origin_answers_by_broadcast() {
    let mut world = World::with(on_own_origin);
    world.browser.severs_openers = true;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.browser.broadcasts, [r#"{"type":"done"}"#]);
    assert_eq!(world.browser.channel, None);
}

#[test]
fn no_channel_is_opened_for_another_origin() {
    let world = World::with(elsewhere).going_to_provider();
    assert_eq!(world.browser.channel, None);
}

#[test]
fn both_ways_at_once_exchange_once_in_either_order() {
    for broadcast_first in [true, false] {
        let mut world = World::with(on_own_origin).going_to_provider();
        let text = json!({"type": "callback", "query": world.honest_callback()}).to_string();
        let popup = world.popup();
        for broadcast in [broadcast_first, !broadcast_first, broadcast_first] {
            if broadcast {
                world.input(Input::Broadcast { text: text.clone().into() });
            } else {
                world.message("https://hub.example", Some(popup), &text);
            }
        }
        world.settle();
        assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
    }
}

#[test]
fn c6_forged_broadcasts_are_dropped() {
    let mut world = World::with(on_own_origin).going_to_provider();
    for (text, code) in [
        ("x", "message_malformed"),
        (r#"{"type":"ready"}"#, "message_malformed"),
        (r#"{"type":"delivered","code":""}"#, "message_malformed"),
        (r#"{"type":"done"}"#, "message_malformed"),
        (r#"{"type":"callback","query":"code=x&state=bad"}"#, "state_mismatch"),
        (r#"{"type":"callback","query":"code=x"}"#, "state_mismatch"),
    ] {
        world.input(Input::Broadcast { text: Secret::new(text.into()) });
        assert_eq!(last_drop(&world), Some(code), "{text}");
    }
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn c15_only_the_callback_pages_origin_counts() {
    let mut world = World::with(elsewhere).going_to_provider();
    let text = json!({"type": "callback", "query": world.honest_callback()}).to_string();
    let popup = world.popup();
    for origin in [
        LISTENER,
        "https://hub.example",
        "https://pages.example.evil.example",
        "http://pages.example",
        "null",
        "",
    ] {
        assert!(!world.flow.expects_origin(origin), "{origin}");
        world.message(origin, Some(popup), &text);
        assert_eq!(last_drop(&world), Some("origin_mismatch"), "{origin}");
    }
    assert!(world.flow.expects_origin(ELSEWHERE));
    world.message(ELSEWHERE, Some(WindowId(77)), &text);
    assert_eq!(last_drop(&world), Some("source_mismatch"), "a message of another window is dropped (C16)");
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn a_followed_link_that_goes_straight_to_the_provider_may_answer() {
    let mut world = World::with(elsewhere).going_to_provider();
    world.user = tokentoss_sim::User::Accepts;
    world.follow_link();
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.browser.open_windows(), 0, "both windows are told");
}

#[test]
fn a_stranger_cannot_take_the_followed_links_place() {
    let mut world = World::with(elsewhere).going_to_provider();
    world.input(Input::LinkFollowed);
    world.message(ELSEWHERE, Some(WindowId(88)), r#"{"type":"callback","query":"code=x&state=bad"}"#);
    assert_eq!(last_drop(&world), Some("state_mismatch"));
    let query = world.honest_callback();
    let text = json!({"type": "callback", "query": &query}).to_string();
    let followed = world.browser.open(Place::StaticPage(query));
    world.message(ELSEWHERE, Some(followed), &text);
    assert_eq!(world.phase(), Phase::SigningIn, "the honest window still may");
}

#[test]
fn a_blocked_popup_can_be_retried_or_followed() {
    let mut world = World::with(elsewhere);
    world.browser.blocks_popups = true;
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("popup_blocked")));
    world.browser.blocks_popups = false;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn cancelling_closes_the_channel_and_tells_the_page() {
    let mut world = World::with(on_own_origin).going_to_provider();
    world.input(Input::Cancel);
    assert_eq!((world.phase(), world.browser.open_windows()), (Phase::Ready, 0));
    assert_eq!((world.browser.channel.clone(), world.browser.broadcasts.len()), (None, 1));
}
