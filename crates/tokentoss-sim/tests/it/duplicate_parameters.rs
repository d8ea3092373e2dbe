//! A parameter that stands twice spoils the answer.

use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c40_every_known_parameter_may_stand_once() {
    for twice in ["code=other", "state=other", "iss=https://as.example", "error=a&error=b"] {
        let mut world = World::at_provider();
        let query = format!("{}&{twice}", world.honest_callback());
        world.callback_message(&query);
        assert_eq!(world.problem(), Some("parameter_duplicated"), "{twice}");
        assert!(world.provider.token_requests.is_empty());
    }
}

#[test]
fn c40_the_same_value_twice_is_still_twice() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    world.callback_message(&format!("{query}&{query}"));
    assert_eq!(world.problem(), Some("parameter_duplicated"));
}

#[test]
fn parameters_we_do_not_know_may_repeat() {
    let mut world = World::at_provider();
    let query = format!("{}&scope=a&scope=b&authuser=0", world.honest_callback());
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.problem(), None);
    assert_eq!(world.kernel.tokens.len(), 1);
}
