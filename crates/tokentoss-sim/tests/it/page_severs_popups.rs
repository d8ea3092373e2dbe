//! The notebook page's own Cross-Origin-Opener-Policy cuts every popup off: the start page asks its listener where to go on.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{Kernel, LISTENER, Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SECOND: Duration = Duration::from_secs(1);

fn severed(change: impl FnOnce(&mut Kernel)) -> World {
    let mut world = World::with(change);
    world.browser.severs_popups = true;
    world
}

#[test]
fn c18_one_click_signs_in() {
    let mut world = severed(|_| {});
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Done, None));
    assert_eq!((world.browser.windows.len(), world.kernel.tokens.len()), (1, 1));
    assert_eq!(world.provider.authorization_requests.len(), 1);
    assert!(world.shown.iter().all(|status| status.problem.is_none()), "no hint on the way");
    assert!(world.shown.iter().all(|status| status.way.is_none_or(|way| way == Way::Loopback)));
}

#[test]
fn c20_a_user_who_takes_long_is_told_and_ends_signed_in() {
    let mut world = severed(|_| {}).going_to_provider();
    let popup = world.popup();
    assert_eq!(*world.browser.place(popup), Place::Provider);
    world.pass(SECOND * 2);
    assert_eq!(world.problem(), None, "not before the grace time is over");
    world.pass(SECOND * 60);
    assert_eq!((world.way(), world.problem()), (Some(Way::Loopback), Some("popup_closed")));
    world.user = User::Accepts;
    let url = world.provider.authorization_requests[0].clone();
    world.reach_provider(popup, &url);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_window_that_was_closed_is_told_and_the_next_click_needs_no_start_page() {
    let mut world = severed(|_| {});
    world.input(Input::SignIn);
    let first = world.popup();
    *world.browser.place(first) = Place::Closed;
    world.pass(SECOND * 3);
    assert_eq!((world.phase(), world.problem()), (Phase::Waiting, Some("popup_closed")));
    assert!(world.provider.authorization_requests.is_empty());
    let link = world.flow.status().link.clone().expect("a link");
    assert!(link.starts_with("https://as.example/authorize?"), "{link}");

    let mut world = world.going_to_provider();
    let second = world.popup();
    assert_eq!(world.problem(), None);
    assert_eq!(*world.browser.place(second), Place::Provider);
    world.user = User::Accepts;
    let url = world.provider.authorization_requests[0].clone();
    world.reach_provider(second, &url);
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
}

#[test]
fn a_busy_kernel_is_given_up_after_five_seconds_and_its_late_answer_still_leads_on() {
    let mut world = severed(|_| {});
    world.kernel.busy = true;
    world.user = User::Waits;
    world.sign_in();
    world.pass(Duration::from_millis(4999));
    assert_eq!((world.way(), world.problem()), (Some(Way::Loopback), None));
    world.pass(Duration::from_millis(1));
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));
    assert_eq!(world.problem(), Some("popup_closed"));

    world.kernel.busy = false;
    world.user = User::Accepts;
    world.settle();
    assert_eq!((world.phase(), world.browser.windows.len()), (Phase::Done, 1), "the same popup");
}

#[test]
fn c4_a_start_page_that_waited_goes_by_the_way_that_was_taken_last() {
    let mut world = severed(|kernel| kernel.ticket()["callback_pages"] = json!(["https://hub.example/cb"]));
    world.kernel.busy = true;
    world.user = User::Waits;
    world.sign_in();
    world.pass(SECOND * 5);
    assert_eq!(world.way(), Some(Way::CallbackPage));
    // Both registrations come at once, the later one counts.
    world.to_kernel.pop_front();
    world.kernel.busy = false;
    world.user = User::Accepts;
    world.settle();
    assert_eq!(world.redirect_uri(), "https://hub.example/cb");
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c4_the_start_page_of_an_attempt_that_was_given_up_learns_nothing_of_the_next() {
    let mut world = severed(|_| {});
    world.kernel.busy = true;
    world.input(Input::SignIn);
    world.settle();
    let first = world.popup();
    world.input(Input::Cancel);
    world.to_kernel.clear();
    world.kernel.busy = false;
    world.sign_in();
    assert_eq!((world.phase(), world.browser.windows.len()), (Phase::Done, 2));
    assert!(matches!(world.browser.place(first), Place::StartPage(_)), "it is left where it was");
    assert_eq!(world.provider.authorization_requests.len(), 1);
}

#[test]
fn c20_a_popup_of_an_attempt_that_was_given_up_speaks_to_nobody() {
    let mut world = severed(|kernel| kernel.ticket()["callback_pages"] = json!(["https://hub.example/cb"]));
    world.kernel.busy = true;
    for input in [Input::SignIn, Input::LinkCopied, Input::Cancel, Input::SignIn, Input::LinkCopied] {
        world.input(input);
        world.settle();
    }
    assert_eq!(world.browser.windows.len(), 2);
    // All registrations come at once, the first ones in time for the start page of their attempt.
    world.kernel.busy = false;
    world.settle();
    assert_eq!(world.provider.authorization_requests.len(), 2);
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

#[test]
fn the_client_secret_comes_with_the_registration() {
    let with_secret = |kernel: &mut Kernel| {
        kernel.client_secret = Some("s3cret".into());
        kernel.ticket()["client_secret_sealed"] = true.into();
    };
    let mut world = severed(with_secret);
    world.provider.client_secret = Some("s3cret".into());
    world.sign_in();
    assert_eq!((world.phase(), world.kernel.codes.len()), (Phase::Done, 0), "the page exchanged the code");
    assert_eq!(world.provider.token_requests[0]["client_secret"], "s3cret");

    let mut world = severed(|kernel| {
        kernel.ticket()["client_secret_sealed"] = true.into();
        kernel.ticket()["exchange"] = "browser".into();
    });
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("registration_refused")));
}

#[test]
fn a_link_that_is_followed_where_popups_are_blocked_is_cut_off_too() {
    for pages in [json!([]), json!(["https://hub.example/cb"])] {
        let mut world = severed(|kernel| kernel.ticket()["callback_pages"] = pages.clone());
        world.browser.blocks_popups = true;
        world.sign_in();
        assert_eq!(world.problem(), Some("popup_blocked"));
        world.follow_link();
        world.pass(SECOND);
        assert_eq!((world.phase(), world.browser.windows.len()), (Phase::Done, 1), "{pages}");
    }
}

#[test]
fn an_answer_that_nobody_asked_for_leads_nowhere() {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.input(Input::SignIn);
    world.input(Input::Registered { key: "k".into(), sealed: "s".into() });
    world.pass(Duration::from_millis(999));
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Loopback)));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.way(), Some(Way::Paste), "the start page's own time is over");
}

#[test]
fn a_window_that_looks_closed_many_times_is_registered_once() {
    let mut world = severed(|_| {});
    world.kernel.busy = true;
    world.sign_in();
    let window = world.popup();
    for _ in 0..20 {
        world.input(Input::WindowClosed { window });
        world.pass(Duration::from_millis(100));
    }
    assert_eq!(world.to_kernel.len(), 1);
    world.pass(SECOND * 3);
    assert_eq!(world.problem(), Some("popup_closed"), "nothing prolongs the wait");
}

#[test]
fn a_start_page_that_is_ready_after_all_is_answered() {
    let mut world = World::new();
    world.kernel.busy = true;
    world.input(Input::SignIn);
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.user = User::Accepts;
    world.message(LISTENER, Some(window), r#"{"type":"ready"}"#);
    world.settle();
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

#[test]
fn a_machine_that_slept_goes_on_by_the_next_way() {
    let mut world = severed(|_| {});
    world.kernel.busy = true;
    world.user = User::Waits;
    world.sign_in();
    world.sleep(SECOND * 3600);
    assert_eq!((world.phase(), world.problem()), (Phase::Waiting, Some("popup_closed")));
    assert!(world.flow.next_timer().is_some());
}
