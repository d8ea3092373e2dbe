//! A code is entered on any device (RFC 8628), and its tokens come to the kernel as those of a popup do.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase, ShownCode};
use tokentoss_sim::{Answer, Channel, Entered, GRANT_TYPE, Kernel, START, Taken, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn showing() -> World {
    let mut world = World::new();
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!(world.phase(), Phase::Code);
    world
}

fn shown(world: &World) -> Option<&str> {
    world.flow.status().code.as_ref().map(|code| code.user_code.as_str())
}

#[test]
fn the_code_is_shown_then_the_tokens_are_handed_over() {
    let mut world = showing();
    let form = &world.provider.device.requests[0];
    assert_eq!(form["scope"], "openid email");
    let code = ShownCode {
        user_code: "CODE-1".into(),
        verification_uri: "https://as.example/device".into(),
        page: "https://as.example/device?user_code=CODE-1".into(),
        expires_at: START.as_secs() + 600,
    };
    assert_eq!(world.flow.status().code, Some(code));
    world.pass(Duration::from_secs(12));
    assert_eq!(world.provider.token_requests.len(), 2, "one every five seconds");
    assert_eq!(world.phase(), Phase::Code);
    world.provider.device.entered = Entered::Accepted;
    world.pass(Duration::from_secs(5));
    assert_eq!(world.phase(), Phase::Done);
    let tokens = &world.kernel.tokens[0];
    assert_eq!((&tokens["access_token"], &tokens["salt"]), (&json!("access-1"), &json!(null)));
    assert!(world.provider.token_requests.iter().all(|form| form["grant_type"] == GRANT_TYPE));
    assert_eq!((world.browser.windows.len(), world.kernel.asked_for_code), (0, 0));
}

#[test]
fn a_busy_kernel_does_not_stop_it() {
    let mut world = World::with(|kernel| kernel.busy = true);
    world.input(Input::AskForCode);
    world.provider.device.entered = Entered::Accepted;
    world.pass(Duration::from_secs(6));
    assert_eq!((world.phase(), world.deliveries > 0), (Phase::HandingOver, true));
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
}

#[test]
fn its_own_page_stands_in_for_a_filled_in_page_of_another_origin() {
    let mut world = World::new();
    world.provider.device.tamper =
        |answer| drop(answer.insert("verification_uri_complete".into(), json!("https://evil.example/?c=1")));
    world.input(Input::AskForCode);
    world.settle();
    let code = world.flow.status().code.clone().expect("a code");
    assert_eq!(code.page, "https://as.example/device");
}

#[test]
fn what_ends_it_is_told_and_the_button_works() {
    for (entered, wait, problem) in
        [(Entered::Declined, 6, "access_denied"), (Entered::NotYet, 601, "expired_token")]
    {
        let mut world = showing();
        world.provider.device.entered = entered;
        world.pass(Duration::from_secs(wait));
        assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some(problem)));
        assert_eq!((world.flow.next_timer(), shown(&world)), (None, None));
        world.sign_in();
        assert_eq!(world.phase(), Phase::Done);
    }
}

#[test]
fn an_unusable_answer_shows_no_code() {
    for (status, body, problem) in [
        (400, r#"{"error":"unauthorized_client"}"#, "unauthorized_client"),
        (400, r#"{"error":"slow_down"}"#, "provider_error"),
        (200, "<html>", "token_response_not_json"),
        (200, "{}", "device_response_invalid"),
        (503, "", "token_endpoint_failed"),
    ] {
        let mut world = World::new();
        world.provider.device.answer = Answer::Raw(status, body.into());
        world.input(Input::AskForCode);
        world.settle();
        assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some(problem)));
        assert!(world.shown.iter().all(|status| status.code.is_none()));
    }
}

#[test]
fn c7_tokens_with_a_nonce_were_made_for_another_sign_in() {
    let mut world = showing();
    world.provider.device.entered = Entered::Accepted;
    world.provider.tamper_claims = |claims| drop(claims.insert("nonce".into(), json!("n-1")));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.problem(), Some("id_token_nonce_mismatch"));
    assert_eq!((world.deliveries, world.kernel.tokens.len()), (0, 0));
}

#[test]
fn c7_its_envelope_opens_as_no_other_and_only_while_a_page_shows_a_code() {
    let mut world = showing();
    world.kernel.busy = true;
    world.provider.device.entered = Entered::Accepted;
    world.pass(Duration::from_secs(5));
    let envelope = world.in_trait.front().cloned().expect("an envelope");
    assert_eq!(world.kernel.take(&envelope, Channel::Listener), Taken::Nothing, "by the comm only");
    world.kernel.page_shows_code = false;
    assert_eq!(world.kernel.take(&envelope, Channel::Comm), Taken::Nothing, "only while a page shows a code");
    world.kernel.page_shows_code = true;
    assert_eq!(world.kernel.take(&envelope, Channel::Comm), Taken::Tokens);
}

#[test]
fn c45_a_null_error_beside_tokens_is_none_in_both_flows() {
    for input in [Input::SignIn, Input::AskForCode] {
        let mut world = World::new();
        world.provider.device.entered = Entered::Accepted;
        world.provider.tamper_response = |answer| drop(answer.insert("error".into(), json!(null)));
        world.input(input);
        world.pass(Duration::from_secs(6));
        assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
    }
}

#[test]
fn c53_tokens_for_another_client_are_not_handed_over() {
    let mut world = showing();
    world.provider.device.entered = Entered::Accepted;
    world.provider.tamper_claims = |claims| drop(claims.insert("aud".into(), json!("another")));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.problem(), Some("id_token_audience_mismatch"));
    assert_eq!(world.deliveries, 0);
}

#[test]
fn a_second_code_replaces_the_first() {
    let mut world = showing();
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!(shown(&world), Some("CODE-2"));
    world.provider.device.entered = Entered::Accepted;
    world.pass(Duration::from_secs(5));
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.token_requests.last().expect("a poll")["device_code"], "device-secret-2");
}

#[test]
fn asking_twice_at_once_asks_for_one_code_to_show() {
    let mut world = World::new();
    world.input(Input::AskForCode);
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!(shown(&world), Some("CODE-2"));
    assert!(
        world.shown.iter().all(|status| status.code.as_ref().is_none_or(|code| code.user_code == "CODE-2"))
    );
}

#[test]
fn the_button_drops_the_code_and_a_code_gives_up_the_popup() {
    let mut world = showing();
    world.input(Input::SignIn);
    assert_eq!(shown(&world), None);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
    assert!(world.provider.token_requests.iter().all(|form| form["grant_type"] == "authorization_code"));

    let mut world = World::at_provider();
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!(
        (world.phase(), world.browser.open_windows(), world.browser.listening),
        (Phase::Code, 0, false)
    );
    let query = world.honest_callback();
    world.callback_message(&query);
    assert_eq!(world.phase(), Phase::Code, "an answer to the sign-in before changes nothing");
    world.provider.device.entered = Entered::Accepted;
    world.pass(Duration::from_secs(5));
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

#[test]
fn tokens_under_way_are_not_given_up_for_a_code() {
    for stop in [Phase::SigningIn, Phase::HandingOver] {
        let mut world = World::new();
        world.kernel.busy = true;
        world.browser.severs_openers = true;
        world.input(Input::SignIn);
        while world.phase() != stop {
            assert!(world.step());
        }
        world.input(Input::AskForCode);
        assert_eq!((world.phase(), world.provider.device.requests.len()), (stop, 0));
    }
}

#[test]
fn a_spent_ticket_gives_no_code() {
    let mut world = World::new();
    world.sign_in();
    world.input(Input::AskForCode);
    assert_eq!((world.phase(), world.provider.device.requests.len()), (Phase::Done, 0));
}

#[test]
fn c72_nothing_shows_the_device_code() {
    let mut world = World::new();
    let mut seen = String::new();
    world.input(Input::AskForCode);
    for _ in 0..4 {
        seen += &format!("{:?} {:?}", world.flow, world.shown);
        world.step();
    }
    world.provider.answer = Answer::Raw(400, r#"{"error":"device-secret-1"}"#.into());
    world.pass(Duration::from_secs(6));
    seen += &format!("{:?} {:?}", world.flow, world.shown);
    assert_eq!(world.problem(), Some("provider_error"));
    assert!(seen.contains("CODE-1") && !seen.contains("device-secret"), "{seen}");
}

fn unreadable(kernel: &mut Kernel) {
    kernel.ticket()["provider"]["token_endpoint_cors"] = json!(false);
}

#[test]
fn where_the_page_cannot_the_kernel_is_asked() {
    let changes: [fn(&mut Kernel); 5] = [
        unreadable,
        |kernel| kernel.ticket()["client_secret_sealed"] = true.into(),
        |kernel| kernel.ticket()["exchange"] = "kernel".into(),
        |kernel| kernel.ticket()["provider"]["openid_connect"] = false.into(),
        |kernel| kernel.ticket()["provider"]["device_authorization_endpoint"] = json!(null),
    ];
    for change in changes {
        let mut world = World::with(change);
        world.input(Input::AskForCode);
        world.settle();
        assert_eq!((world.kernel.asked_for_code, shown(&world)), (1, Some("KERNEL-1")));
        assert_eq!(world.provider.device.requests.len(), 0);
    }
}

#[test]
fn an_endpoint_that_does_not_answer_pages_leaves_it_to_the_kernel() {
    for (answer, wait) in [(Answer::Unreachable, 0), (Answer::Silent, 10)] {
        let mut world = World::new();
        world.provider.device.answer = answer;
        world.input(Input::AskForCode);
        world.pass(Duration::from_secs(wait));
        assert_eq!((world.kernel.asked_for_code, shown(&world)), (1, Some("KERNEL-1")));
    }
}

#[test]
fn no_code_is_shown_before_it_is_known_that_its_tokens_can_be_read() {
    for (readable, asked, code) in
        [(Some(true), 0, "CODE-1"), (Some(false), 1, "KERNEL-1"), (None, 1, "KERNEL-1")]
    {
        let mut world =
            World::with(|kernel| kernel.ticket()["provider"]["token_endpoint_cors"] = json!(null));
        world.provider.readable = readable;
        world.input(Input::AskForCode);
        world.pass(Duration::from_secs(10));
        assert_eq!(
            (world.kernel.asked_for_code, shown(&world), world.provider.probes),
            (asked, Some(code), 1)
        );
        let codes = world.shown.iter().filter_map(|status| status.code.as_ref());
        assert!(codes.into_iter().all(|shown| shown.user_code == code));
    }
}

#[test]
fn a_page_that_must_exchange_asks_nobody_whether_it_can() {
    let mut world = World::with(|kernel| {
        kernel.ticket()["exchange"] = "browser".into();
        kernel.ticket()["provider"]["token_endpoint_cors"] = json!(null);
    });
    world.input(Input::AskForCode);
    world.settle();
    assert_eq!((shown(&world), world.provider.probes), (Some("CODE-1"), 0));
}
