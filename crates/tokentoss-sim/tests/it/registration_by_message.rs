//! The page registers with the kernel itself where no start page does.

use std::time::Duration;

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Kernel, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn with_secret(kernel: &mut Kernel) {
    kernel.client_secret = Some("s3cret".into());
    kernel.ticket()["client_secret_sealed"] = true.into();
}

fn steered() -> World {
    let mut world = World::steered(with_secret);
    world.provider.client_secret = Some("s3cret".into());
    world
}

fn finish(world: &mut World) {
    let address = world.honest_address();
    world.paste(&address);
    world.settle();
}

#[test]
fn the_client_secret_comes_that_way() {
    let mut world = steered();
    finish(&mut world);
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.kernel.codes.len(), 0, "the page exchanged the code");
    assert_eq!(world.provider.token_requests[0]["client_secret"], "s3cret");
}

#[test]
fn a_secret_that_has_not_come_leaves_the_exchange_to_the_kernel() {
    let mut world = World::with(with_secret);
    world.provider.client_secret = Some("s3cret".into());
    world.kernel.reachable = false;
    world.kernel.busy = true;
    world.user = User::Waits;
    world.sign_in();
    world.pass(Duration::from_secs(1));
    let address = world.honest_address();
    world.paste(&address);
    assert_eq!(world.phase(), Phase::HandingOver);
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.kernel.codes.len()), (Phase::Done, 1));
    assert_eq!(world.provider.token_requests.len(), 1);
}

#[test]
fn answers_that_come_twice_too_early_or_from_nobody_change_nothing() {
    let mut world = World::new();
    world.input(Input::Registered { key: "k".into(), sealed: "AQID".into() });
    assert_eq!(world.phase(), Phase::Ready);

    let mut world = steered();
    for sealed in [String::new(), "AQID".into(), "A".repeat(4000)] {
        world.input(Input::Registered { key: "k".into(), sealed });
        assert_eq!(world.phase(), Phase::Waiting);
    }
    finish(&mut world);
    assert_eq!(world.provider.token_requests[0]["client_secret"], "s3cret", "the honest one was kept");
}

#[test]
fn an_answer_to_an_earlier_attempt_does_not_open() {
    let mut world = World::with(with_secret);
    world.provider.client_secret = Some("s3cret".into());
    world.kernel.reachable = false;
    world.kernel.busy = true;
    world.user = User::Waits;
    world.sign_in();
    world.pass(Duration::from_secs(1));
    world.input(Input::Cancel);
    world.sign_in();
    world.pass(Duration::from_secs(1));
    // Only the first attempt's registration gets through.
    world.to_kernel.truncate(1);
    world.kernel.busy = false;
    world.settle();
    let address = world.honest_address();
    world.paste(&address);
    world.settle();
    assert_eq!((world.phase(), world.kernel.codes.len()), (Phase::Done, 1), "the kernel exchanged the code");
}

#[test]
fn a_page_that_must_exchange_without_its_secret_says_so() {
    let mut world = World::steered(|kernel| {
        kernel.ticket()["client_secret_sealed"] = true.into();
        kernel.ticket()["exchange"] = "browser".into();
    });
    finish(&mut world);
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("registration_refused")));
    assert!(world.provider.token_requests.is_empty());
}
