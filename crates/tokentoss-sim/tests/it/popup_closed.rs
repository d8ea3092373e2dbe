//! A popup that is closed, or only looks so.

use std::time::Duration;

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Place, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn closed_before_the_answer_the_user_is_told_and_can_retry() {
    let mut world = World::new();
    world.user = User::Closes;
    world.sign_in();
    assert_eq!(world.problem(), None, "not before the grace time is over");
    world.pass(Duration::from_secs(4));
    assert_eq!((world.phase(), world.problem()), (Phase::Waiting, Some("popup_closed")));

    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.browser.windows.len(), 2);
}

#[test]
fn c18_an_answer_after_the_window_looked_closed_still_counts() {
    let mut world = World::at_provider();
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.pass(Duration::from_secs(60));
    assert_eq!(world.problem(), Some("popup_closed"));
    let query = world.honest_callback();
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn closed_in_the_moment_of_the_answer_is_no_problem() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn closed_after_the_answer_is_no_problem() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    world.callback_message(&query);
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn closed_on_the_start_page_the_user_is_told_and_can_follow_the_link() {
    let mut world = World::new();
    world.kernel.listening = false;
    world.sign_in();
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.pass(Duration::from_secs(3));
    assert_eq!((world.phase(), world.problem()), (Phase::Waiting, Some("popup_closed")));
    let link = world.shown.last().and_then(|status| status.link.clone()).expect("a link");
    assert!(!link.contains("/tokentoss/start"), "the link needs no start page: {link}");
}

#[test]
fn c18_cut_off_from_a_start_page_out_of_reach_the_second_click_leads_to_the_provider() {
    let mut world = World::new();
    world.kernel.listening = false;
    world.sign_in();
    let window = world.popup();
    world.input(Input::WindowClosed { window });
    world.pass(Duration::from_secs(3));
    assert_eq!(world.problem(), Some("popup_closed"));

    world.kernel.listening = true;
    let mut world = world.going_to_provider();
    assert_eq!(world.problem(), None);
    let second = world.browser.windows.last().expect("a second window").id;
    assert_eq!(*world.browser.place(second), Place::Provider, "no start page that nobody could answer");
}

#[test]
fn the_hint_is_given_once() {
    let mut world = World::at_provider();
    let window = world.popup();
    for _ in 0..5 {
        world.input(Input::WindowClosed { window });
        world.pass(Duration::from_secs(5));
    }
    let hints = world.shown.iter().filter(|status| status.problem.is_some()).count();
    assert_eq!(hints, 1);
}
