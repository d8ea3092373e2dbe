//! The listener does not accept the page.

use tokentoss_core::flow::{Input, Phase, Way};
use tokentoss_sim::{Kernel, LISTENER, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn refused_with(code: &str) -> World {
    let mut world = World::new();
    world.input(Input::SignIn);
    let window = world.popup();
    let text = format!(r#"{{"type":"refused","code":"{code}"}}"#);
    world.message(LISTENER, Some(window), &text);
    world
}

#[test]
fn the_reason_is_kept_where_it_helps() {
    for (code, shown) in [
        ("page_origin_opaque", "page_origin_opaque"),
        ("endpoint_insecure", "endpoint_insecure"),
        ("proof_mismatch", "registration_refused"),
        ("ticket_unknown", "registration_refused"),
        ("<b>", "registration_refused"),
    ] {
        let world = refused_with(code);
        assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some(shown)));
        assert_eq!(world.browser.open_windows(), 0);
    }
}

/// The page alone may exchange the code, with a client secret.
fn in_the_page(kernel: &mut Kernel) {
    kernel.ticket()["client_secret_sealed"] = true.into();
    kernel.ticket()["exchange"] = "browser".into();
}

#[test]
fn a_client_secret_that_does_not_come_ends_the_attempt() {
    let mut world = World::with(in_the_page);
    world.sign_in();
    assert_eq!(world.problem(), Some("registration_refused"));
    assert!(world.provider.token_requests.is_empty());
}

#[test]
fn a_refusal_that_may_be_another_programs_does_not_block_the_next_click() {
    let mut world = refused_with("ticket_unknown");
    assert_eq!(world.problem(), Some("registration_refused"));
    world.user = User::Waits;
    world.input(Input::SignIn);
    assert_eq!((world.phase(), world.way()), (Phase::Waiting, Some(Way::Paste)));

    // Only the kernel asks the user.
    let mut world = refused_with("page_refused");
    assert_eq!(world.problem(), Some("page_refused"));
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert!(world.shown.iter().all(|status| status.way.is_none_or(|way| way == Way::Loopback)));
}
