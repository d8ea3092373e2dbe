//! The kernel asks for a user code where the page cannot: a state of the flow, which only an answer ends.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A page that cannot fetch the tokens, whose kernel is busy.
fn asking() -> World {
    let mut world = World::with(|kernel| {
        kernel.ticket()["provider"]["token_endpoint_cors"] = json!(false);
        kernel.busy = true;
    });
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!((world.phase(), shown(&world)), (Phase::Code, None));
    world
}

fn showing() -> World {
    let mut world = asking();
    world.kernel.busy = false;
    world.settle();
    assert_eq!(shown(&world), Some("KERNEL-1"));
    world
}

fn shown(world: &World) -> Option<&str> {
    world.flow.status().code.as_ref().map(|code| code.user_code.as_str())
}

#[test]
fn it_goes_on_until_the_kernel_answers() {
    let mut world = asking();
    world.pass(Duration::from_secs(500));
    world.input(Input::KernelCodeEnded);
    assert_eq!((world.phase(), shown(&world)), (Phase::Code, None), "the end of another code is no answer");
    world.kernel.busy = false;
    world.settle();
    assert_eq!(shown(&world), Some("KERNEL-1"));
    assert_eq!(world.kernel.asked_for_code, 1);
}

#[test]
fn the_kernels_reason_is_shown_and_the_button_works() {
    let mut world = asking();
    world.kernel.gets_code = false;
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("unauthorized_client")));
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_kernel_that_never_answers_is_given_up() {
    let mut world = asking();
    world.pass(Duration::from_secs(600));
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("kernel_busy")));
    world.kernel.busy = false;
    world.settle();
    assert!(!world.kernel.shows_code, "the request was taken back");
}

#[test]
fn what_is_clicked_meanwhile_drops_it() {
    let mut world = asking();
    world.input(Input::SignIn);
    assert_eq!(world.phase(), Phase::Waiting);
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.kernel.shows_code), (Phase::Done, false));
    assert!(world.shown.iter().all(|status| status.code.is_none()), "its code never shows up over the popup");

    for mut world in [asking(), showing()] {
        world.input(Input::Cancel);
        assert_eq!((world.phase(), shown(&world)), (Phase::Ready, None));
        world.kernel.busy = false;
        world.settle();
        assert_eq!((world.phase(), world.kernel.shows_code), (Phase::Ready, false));
    }
}

#[test]
fn a_second_request_replaces_the_first() {
    let mut world = showing();
    world.input(Input::AskForCode);
    assert_eq!((world.phase(), shown(&world)), (Phase::Code, None));
    world.settle();
    assert_eq!((shown(&world), world.kernel.asked_for_code), (Some("KERNEL-2"), 2));
}

#[test]
fn a_code_that_another_page_asked_for_is_shown_only_at_rest() {
    let mut world = World::new();
    let code = world.kernel.ask_for_code();
    world.input(code);
    assert_eq!(shown(&world), Some("KERNEL-0"));
    world.input(Input::KernelCodeEnded);
    assert_eq!(world.phase(), Phase::Ready);

    let mut world = World::at_provider();
    let code = world.kernel.ask_for_code();
    world.input(code);
    world.input(Input::KernelCodeEnded);
    assert_eq!((world.phase(), shown(&world)), (Phase::Waiting, None));
}

#[test]
fn a_code_whose_end_is_not_told_ends_all_the_same() {
    let mut world = showing();
    world.pass(Duration::from_secs(3600));
    assert_eq!((world.problem(), shown(&world)), (Some("expired_token"), None));
    assert!(!world.kernel.shows_code);
}
