//! Whether the page may read the token endpoint is found out while the user is at the provider.

use serde_json::json;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Kernel, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn unknown(kernel: &mut Kernel) {
    kernel.ticket()["provider"]["token_endpoint_cors"] = json!(null);
}

#[test]
fn its_answer_decides_who_exchanges_and_no_answer_means_the_kernel() {
    for (readable, by_kernel) in [(Some(true), 0), (Some(false), 1), (None, 1)] {
        let mut world = World::with(unknown);
        world.provider.readable = readable;
        let mut world = world.going_to_provider();
        let query = world.honest_callback();
        world.callback_message(&query);
        world.settle();
        assert_eq!(world.phase(), Phase::Done);
        assert_eq!((world.kernel.codes.len(), world.provider.probes), (by_kernel, 1), "{readable:?}");
        assert_eq!(world.provider.token_requests.len(), 1, "the code is sent once (C43)");
    }
}

#[test]
fn an_answer_that_comes_after_the_callback_changes_nothing() {
    let mut world = World::with(unknown);
    world.provider.readable = None;
    let mut world = world.going_to_provider();
    world.kernel.busy = true;
    world.browser.severs_openers = true;
    let query = world.honest_callback();
    world.callback_message(&query);
    assert_eq!(world.phase(), Phase::HandingOver);
    world.input(Input::Probed { readable: true });
    assert_eq!(world.phase(), Phase::HandingOver);
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.kernel.codes.len(), world.provider.token_requests.len()), (1, 1));
}

#[test]
fn it_is_asked_once_a_ticket() {
    let mut world = World::with(unknown).going_to_provider();
    for _ in 0..5 {
        world.input(Input::Cancel);
        world.input(Input::SignIn);
        world.settle();
    }
    assert_eq!((world.provider.probes, world.provider.authorization_requests.len()), (1, 6));
}

#[test]
fn what_the_ticket_says_is_not_overruled() {
    let mut world = World::with(|kernel| kernel.ticket()["provider"]["token_endpoint_cors"] = json!(false));
    world.input(Input::Probed { readable: true });
    world.sign_in();
    assert_eq!((world.kernel.codes.len(), world.provider.probes), (1, 0));
}
