//! The link that opens the sign-in page by hand.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{LISTENER, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn the_link_leads_to_the_start_page() {
    let world = World::at_provider();
    let link = world.flow.status().link.clone().expect("a link");
    let (page, fragment) = link.split_once('#').expect("a fragment");
    assert_eq!(page, format!("{LISTENER}/tokentoss/start"), "nothing in the query");
    let (ticket, key) = fragment.split_once('.').expect("two names");
    assert_eq!((ticket, key.len()), (world.kernel.ticket_id(), 43));
}

#[test]
fn a_followed_link_signs_in() {
    let mut world = World::at_provider();
    world.user = User::Accepts;
    world.follow_link();
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.browser.windows.len(), 2);
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn c4_both_windows_belong_to_the_same_attempt() {
    let mut world = World::at_provider();
    world.follow_link();
    world.settle();
    let [first, second] = &world.provider.authorization_requests[..] else { panic!("two visits") };
    assert_eq!(first, second);
    world.user = User::Accepts;
    let query = world.honest_callback();
    world.callback_message(&query);
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.provider.token_requests.len(), 1, "the second answer with a state is ignored (C6)");
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn c16_windows_introduce_themselves_only_once_the_link_was_followed_and_few_of_them() {
    let mut world = World::at_provider();
    world.message(LISTENER, Some(tokentoss_core::flow::WindowId(99)), r#"{"type":"ready"}"#);
    assert_eq!(world.dropped.len(), 1);
    world.dropped.clear();
    world.input(Input::LinkFollowed);
    // With the popup, 16 windows.
    for source in 2..=18 {
        world.browser.open(tokentoss_sim::Place::ErrorPage);
        world.message(LISTENER, Some(tokentoss_core::flow::WindowId(source)), r#"{"type":"ready"}"#);
    }
    let codes: Vec<&str> = world.dropped.iter().map(|error| error.code().as_str()).collect();
    assert_eq!(codes, ["source_mismatch", "source_mismatch"]);
}
