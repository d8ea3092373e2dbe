//! The kernel restarts in the middle of a sign-in.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Answer, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn assert_gone(world: &mut World) {
    world.input(Input::KernelLost);
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("kernel_gone")));
    assert_eq!(world.browser.open_windows(), 0);
    let opened = world.browser.windows.len();
    world.user = User::Accepts;
    world.sign_in();
    assert_eq!(world.browser.windows.len(), opened, "a dead kernel's ticket opens no popup");
    assert_eq!(world.problem(), Some("kernel_gone"));
}

#[test]
fn a_lost_kernel_is_reported_in_every_state() {
    assert_gone(&mut World::new());
    assert_gone(&mut World::at_provider());
    let mut exchanging = World::new();
    exchanging.provider.answer = Answer::Silent;
    exchanging.sign_in();
    assert_gone(&mut exchanging);
    let mut handing_over = World::new();
    handing_over.kernel.busy = true;
    handing_over.browser.severs_openers = true;
    handing_over.sign_in();
    assert_gone(&mut handing_over);
}

#[test]
fn after_the_end_nothing_changes() {
    let mut world = World::new();
    world.sign_in();
    world.input(Input::KernelLost);
    assert_eq!(world.phase(), Phase::Done);
}
