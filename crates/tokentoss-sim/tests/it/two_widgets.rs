//! Two widgets at once do not mix.

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
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
