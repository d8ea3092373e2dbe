//! A clock that is off by hours is named as such.

use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_sim::{START, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn sign_in_with_provider_at(provider_now: Timestamp) -> World {
    let mut world = World::new();
    world.provider_now = Some(provider_now);
    world.sign_in();
    world
}

#[test]
fn c56_the_browser_is_hours_behind() {
    let world = sign_in_with_provider_at(START + Duration::from_secs(3 * 3600));
    assert_eq!(world.problem(), Some("clock_skew"));
    let message = world.flow.status().problem.as_ref().expect("a problem").message();
    assert!(message.contains("3 hours"), "{message}");
    assert!(world.kernel.tokens.is_empty());
}

#[test]
fn c56_the_browser_is_hours_ahead() {
    let behind = Timestamp::from_millis(START.as_millis() - 5 * 3600 * 1000);
    let world = sign_in_with_provider_at(behind);
    assert_eq!(world.problem(), Some("clock_skew"));
    assert!(world.kernel.tokens.is_empty());
}

#[test]
fn c56_a_minute_is_forgiven() {
    for seconds in [0, 30, 60] {
        let world = sign_in_with_provider_at(START + Duration::from_secs(seconds));
        assert_eq!(world.problem(), None, "{seconds} s ahead");
    }
    let world = sign_in_with_provider_at(START + Duration::from_secs(62));
    assert_eq!(world.problem(), Some("clock_skew"));
}
