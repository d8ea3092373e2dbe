//! Two widgets at once do not mix.

use serde_json::Value;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{LISTENER, Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c39_an_answer_to_one_is_none_to_the_other() {
    let mut first = World::at_provider();
    let mut second = World::at_provider();
    // Two simulated worlds draw the same numbers; one attempt more sets the second apart.
    second.input(tokentoss_core::flow::Input::Cancel);
    second.input(tokentoss_core::flow::Input::SignIn);
    second.settle();

    let answer = first.honest_callback();
    second.callback_message(&answer);
    assert_eq!(second.dropped.last().map(|error| error.code().as_str()), Some("state_mismatch"));
    assert_eq!(second.phase(), Phase::Waiting);
    first.callback_message(&answer);
    first.settle();
    assert_eq!(first.phase(), Phase::Done);

    let answer = second.honest_callback();
    second.callback_message(&answer);
    second.settle();
    assert_eq!(second.phase(), Phase::Done);
}

/// R1: a start page takes what its own fragment names, and nothing of another widget on the same page.
#[test]
fn r1_a_start_page_takes_the_first_start_that_its_own_fragment_names() {
    let mut other = World::new();
    other.kernel.reachable = false;
    // Two simulated worlds draw the same numbers; one attempt more sets the second apart.
    other.input(Input::SignIn);
    other.input(Input::Cancel);
    other.input(Input::SignIn);
    let window = other.popup();
    other.message(LISTENER, Some(window), r#"{"type":"ready"}"#);
    let stray: Value =
        serde_json::from_str(other.posted.iter().rfind(|text| text.contains("start")).expect("a start"))
            .expect("JSON");

    let mut world = World::new();
    world.user = User::Waits;
    world.input(Input::SignIn);
    let popup = world.popup();
    let fragment = world.start_fragment.clone();
    world.start_page_receives(popup, &fragment, tokentoss_sim::PAGE, &stray);
    assert_eq!(world.browser.ignored_starts, 1);
    assert!(matches!(world.browser.place(popup), Place::StartPage(_)), "it goes on listening");
    world.user = User::Accepts;
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
}

/// R1: both widgets hear each other's start pages, where the user opened both links by hand.
#[test]
fn r1_a_start_page_of_another_widget_neither_ends_nor_replaces_the_own_one() {
    let mut world = World::new();
    world.browser.blocks_popups = true;
    world.sign_in();
    let foreign = world.browser.open(Place::ErrorPage);
    world.input(Input::LinkFollowed);
    world.message(LISTENER, Some(foreign), r#"{"type":"ready"}"#);
    world.message(LISTENER, Some(foreign), r#"{"type":"registered","answer":"AQID"}"#);
    let own = world.browser.open(Place::ErrorPage);
    let link = world.flow.status().link.clone().expect("a link");
    world.open_link_in(own, &link);
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
    assert!(world.shown.iter().all(|status| status.way.is_none_or(|way| way.as_str() == "loopback")));
}
