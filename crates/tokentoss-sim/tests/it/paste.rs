//! The user copies the address of the page that cannot load, and pastes it.

use serde_json::json;
use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_pasted_address_signs_in() {
    let mut world = World::steered(|_| {});
    world.user = User::Accepts;
    let popup = world.popup();
    let url = world.provider.authorization_requests[0].clone();
    world.reach_provider(popup, &url);
    let address = world.browser.address.clone();
    assert!(address.starts_with("http://127.0.0.1:4711/callback?code="), "{address}");
    world.paste(&address);
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn white_space_around_it_and_a_fragment_behind_it_are_no_matter() {
    let mut world = World::steered(|_| {});
    let address = world.honest_address();
    world.paste(&format!("\n  {address}#_=_ \r\n"));
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn an_empty_path_is_shown_by_browsers_as_a_slash() {
    let mut world = World::steered(|kernel| kernel.ticket()["redirect_uri"] = json!("http://127.0.0.1:4711"));
    let address = world.honest_address().replace("4711?", "4711/?");
    world.paste(&address);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn it_is_open_while_waiting_by_any_way() {
    // The start page is still loading; registered; the callback page is on another machine; the popup is blocked.
    let mut registered = World::at_provider();
    let address = registered.honest_address();
    registered.paste(&address);
    registered.settle();
    assert_eq!(registered.phase(), Phase::Done);

    let mut page =
        World::steered(|kernel| kernel.ticket()["callback_pages"] = json!(["https://pages.example/cb"]));
    assert_eq!(page.way(), Some(Way::CallbackPage));
    let address = page.honest_address();
    page.paste(&address);
    page.settle();
    assert_eq!(page.phase(), Phase::Done);

    let mut blocked = World::new();
    blocked.browser.blocks_popups = true;
    blocked.sign_in();
    blocked.paste("x");
    assert_eq!((blocked.phase(), blocked.paste_problem()), (Phase::Failed, Some("paste_code_only")));
    assert_eq!(blocked.problem(), Some("popup_blocked"), "and the link stays");
    assert!(blocked.flow.status().link.is_some());
}

#[test]
fn a_mistake_is_shown_until_the_next_try_and_ends_nothing() {
    let mut world = World::steered(|_| {});
    world.paste("4/0AbCdEf");
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Waiting, Some("paste_code_only")));
    let popup = world.popup();
    world.input(Input::WindowClosed { window: popup });
    world.pass(std::time::Duration::from_secs(4));
    assert_eq!((world.problem(), world.paste_problem()), (Some("popup_closed"), Some("paste_code_only")));
    let address = world.honest_address();
    world.paste(&address);
    world.settle();
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Done, None));
}

#[test]
fn the_providers_refusal_ends_the_attempt_as_it_would_by_callback() {
    let mut world = World::steered(|_| {});
    world.user = User::Declines;
    let popup = world.popup();
    let url = world.provider.authorization_requests[0].clone();
    world.reach_provider(popup, &url);
    let address = world.browser.address.clone();
    world.paste(&address);
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("access_denied")));
}

#[test]
fn nothing_is_pasted_where_nothing_is_awaited() {
    let mut world = World::new();
    world.paste("http://127.0.0.1:4711/callback?code=x&state=y");
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Ready, None));
    world.sign_in();
    world.paste("x");
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Done, None));
}

#[test]
fn a_copied_link_leads_to_the_provider() {
    // On the start page, which another browser's window could not use.
    let mut world = World::new();
    world.browser.blocks_popups = true;
    world.user = User::Waits;
    world.sign_in();
    world.input(Input::LinkCopied);
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));
    let link = world.flow.status().link.clone().expect("a link");
    assert!(link.starts_with("https://as.example/authorize?"), "{link}");

    // At the provider already: the same request, and loopback stays the way.
    let mut world = World::at_provider();
    world.input(Input::LinkCopied);
    assert_eq!(world.way(), Some(Way::Loopback));
    assert_eq!(world.flow.status().link.as_ref(), world.provider.authorization_requests.last());
}
