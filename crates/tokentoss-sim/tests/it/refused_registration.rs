//! The listener does not accept the page.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Kernel, LISTENER, World};
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
fn a_client_secret_sealed_for_another_page_is_refused() {
    let mut world = World::with(in_the_page);
    world.input(Input::SignIn);
    let window = world.popup();
    world.message(LISTENER, Some(window), r#"{"type":"registered","secret":"AQID"}"#);
    assert_eq!(world.problem(), Some("registration_refused"));
}
