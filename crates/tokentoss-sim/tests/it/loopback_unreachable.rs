//! Nobody answers on the kernel's port.

use std::time::Duration;

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c33_the_page_says_so_within_seconds() {
    let mut world = World::new();
    world.kernel.listening = false;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Waiting);
    world.pass(Duration::from_secs(6));
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("loopback_unreachable")));
    let message = world.flow.status().problem.as_ref().expect("a problem").message();
    assert!(message.contains("127.0.0.1:4711"), "{message}");
    assert_eq!(world.browser.open_windows(), 0, "the browser's error page is closed");
}

#[test]
fn it_works_once_the_port_is_forwarded() {
    let mut world = World::new();
    world.kernel.listening = false;
    world.sign_in();
    world.pass(Duration::from_secs(6));
    world.kernel.listening = true;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}
