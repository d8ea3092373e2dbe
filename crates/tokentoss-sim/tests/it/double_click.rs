//! One click, one popup.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_second_click_opens_no_second_popup() {
    let mut world = World::new();
    world.input(Input::SignIn);
    world.input(Input::SignIn);
    world.settle();
    assert_eq!(world.browser.windows.len(), 1);
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.token_requests.len(), 1);
}

#[test]
fn a_click_while_the_user_is_at_the_provider_changes_nothing() {
    let mut world = World::at_provider();
    world.input(Input::SignIn);
    world.settle();
    assert_eq!(world.browser.windows.len(), 1);
    assert_eq!(world.provider.authorization_requests.len(), 1);
}

#[test]
fn a_click_after_the_end_changes_nothing() {
    let mut world = World::new();
    world.sign_in();
    world.user = User::Waits;
    world.sign_in();
    assert_eq!(world.browser.windows.len(), 1);
    assert_eq!(world.phase(), Phase::Done);
}
