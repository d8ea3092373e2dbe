//! The page's clock is set to another time, forwards and back, in every state that waits.

use std::time::Duration;

use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{Answer, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const HOUR: i64 = 3600;

/// How long from now the next timer is set.
fn wait(world: &World) -> Duration {
    let due = world.flow.next_timer().expect("a timer");
    Duration::from_millis(due.as_millis().saturating_sub(world.now.as_millis()))
}

/// Timers run by a clock of their own, so that one fires although the page's clock was put back.
fn fire(world: &mut World) {
    world.input(Input::TimerFired);
}

#[test]
fn r6_a_clock_put_back_an_hour_does_not_stop_the_resends() {
    let mut world = World::handing_over();
    world.in_trait.clear();
    world.jump(-HOUR);
    fire(&mut world);
    assert!(wait(&world) <= Duration::from_secs(2), "{:?}", wait(&world));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.deliveries, 2);
    world.kernel.busy = false;
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn r6_a_clock_put_forward_and_back_again_does_not_either() {
    let mut world = World::handing_over();
    world.in_trait.clear();
    world.jump(HOUR / 2);
    fire(&mut world);
    assert_eq!(world.deliveries, 2);
    world.jump(-HOUR / 2);
    fire(&mut world);
    assert!(wait(&world) <= Duration::from_secs(4));
}

#[test]
fn r6_no_state_waits_longer_because_the_clock_was_put_back() {
    let silent = |input: Input| {
        let mut world = World::new();
        world.provider.answer = Answer::Silent;
        world.provider.device.answer = Answer::Silent;
        world.input(input);
        world.settle();
        world
    };
    let asking = || {
        let mut world = World::with(|kernel| {
            kernel.ticket()["client_secret_sealed"] = true.into();
            kernel.busy = true;
        });
        world.input(Input::AskForCode);
        world
    };
    let loading = || {
        let mut world = World::new();
        world.kernel.reachable = false;
        world.user = User::Waits;
        world.input(Input::SignIn);
        world
    };
    for mut world in [
        World::at_provider(),
        World::handing_over(),
        silent(Input::SignIn),
        silent(Input::AskForCode),
        asking(),
        loading(),
        World::with(|kernel| kernel.busy = true),
    ] {
        let (state, before) = (world.flow.state_name(), wait(&world));
        world.jump(-24 * 365 * HOUR);
        fire(&mut world);
        assert_eq!(world.flow.state_name(), state);
        assert!(wait(&world) <= before, "{state}: {:?} after {before:?}", wait(&world));
    }
}

#[test]
fn r6_a_silent_start_page_is_still_left_after_a_second() {
    let mut world = World::new();
    world.kernel.reachable = false;
    world.user = User::Waits;
    world.input(Input::SignIn);
    world.jump(-HOUR);
    fire(&mut world);
    world.pass(Duration::from_secs(1));
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));
}

/// R5: what nobody waits for any more leaves the trait, however the hand-over ends.
#[test]
fn r5_the_envelope_leaves_the_trait() {
    let mut cancelled = World::handing_over();
    assert!(!cancelled.envelope.is_empty());
    cancelled.input(Input::Cancel);
    let mut lost = World::handing_over();
    lost.input(Input::KernelLost);
    let mut given_up = World::handing_over();
    given_up.pass(Duration::from_secs(3601));
    let mut done = World::handing_over();
    done.kernel.busy = false;
    done.settle();
    for (world, phase) in
        [(cancelled, Phase::Ready), (lost, Phase::Failed), (given_up, Phase::Failed), (done, Phase::Done)]
    {
        assert_eq!((world.phase(), world.envelope.as_str()), (phase, ""));
    }
}
