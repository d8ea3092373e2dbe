//! The browser refuses to open the popup.

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn blocked() -> World {
    let mut world = World::new();
    world.browser.blocks_popups = true;
    world.sign_in();
    world
}

#[test]
fn c25_it_is_said_and_a_link_is_offered() {
    let world = blocked();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("popup_blocked")));
    assert!(world.flow.status().link.is_some());
    assert!(world.browser.listening, "the link can be followed");
}

#[test]
fn c25_the_link_leads_to_the_end() {
    let mut world = blocked();
    world.follow_link();
    assert_eq!((world.phase(), world.problem()), (Phase::Waiting, None));
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_retry_after_popups_were_allowed_works() {
    let mut world = blocked();
    world.browser.blocks_popups = false;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_retry_that_is_blocked_again_says_so_again() {
    let mut world = blocked();
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("popup_blocked")));
}
