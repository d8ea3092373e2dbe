//! Attack or habit: the same address pasted again.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c43_twice_in_a_row_is_exchanged_once() {
    let mut world = World::steered(|_| {});
    let address = world.honest_address();
    for _ in 0..3 {
        world.paste(&address);
    }
    world.settle();
    world.paste(&address);
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

#[test]
fn c4_an_earlier_attempts_address_is_refused() {
    let mut world = World::steered(|_| {});
    let old = world.honest_address();
    world.input(Input::Cancel);
    world.input(Input::SignIn);
    world.pass(std::time::Duration::from_secs(1));
    world.paste(&old);
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Waiting, Some("state_mismatch")));
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn c43_a_paste_and_a_callback_are_exchanged_once() {
    for pasted_first in [true, false] {
        let mut world = World::at_provider();
        let query = world.honest_callback();
        let address = format!("http://127.0.0.1:4711/callback?{query}");
        if pasted_first {
            world.paste(&address);
            world.callback_message(&query);
        } else {
            world.callback_message(&query);
            world.paste(&address);
        }
        world.settle();
        assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
    }
}
