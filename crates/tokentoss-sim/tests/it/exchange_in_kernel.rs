//! The kernel exchanges the code: where it is told to, and where the page cannot.

use std::time::Duration;

use serde_json::json;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::{Answer, Kernel, LISTENER, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn in_kernel(kernel: &mut Kernel) {
    kernel.ticket()["exchange"] = "kernel".into();
}

fn signed_in(change: impl FnOnce(&mut Kernel)) -> World {
    let mut world = World::with(change);
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done, "{:?}", world.flow.status());
    world
}

#[test]
fn the_code_travels_sealed_with_what_its_exchange_needs() {
    let world = signed_in(in_kernel);
    let phases: Vec<&str> = world.shown.iter().map(|status| status.phase.as_str()).collect();
    assert_eq!(phases, ["ready", "waiting", "handing_over", "done"]);
    let [code] = &world.kernel.codes[..] else { panic!("one code") };
    let names: Vec<&String> = code.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        ["code", "code_verifier", "proof", "received_at", "redirect_uri", "salt", "ticket", "version"]
    );
    assert_eq!(code["redirect_uri"], format!("{LISTENER}/callback"));
    assert_eq!(code["received_at"], tokentoss_sim::START.as_secs());
    assert_eq!(world.provider.token_requests.len(), 1, "the code is sent once (C43)");
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn who_exchanges_follows_the_ticket() {
    for (exchange, cors, by_kernel) in [
        (json!("kernel"), json!(true), 1),
        (json!("browser"), json!(false), 0),
        (json!("browser"), json!(null), 0),
        (json!("auto"), json!(false), 1),
        (json!("auto"), json!(true), 0),
        (json!(null), json!(false), 1),
        (json!(null), json!(true), 0),
    ] {
        let world = signed_in(|kernel| {
            kernel.ticket()["exchange"] = exchange.clone();
            kernel.ticket()["provider"]["token_endpoint_cors"] = cors.clone();
        });
        assert_eq!(world.kernel.codes.len(), by_kernel, "{exchange} {cors}");
        assert_eq!((world.provider.probes, world.provider.token_requests.len()), (0, 1));
    }
}

#[test]
fn c7_a_provider_without_openid_connect_gets_no_nonce() {
    let mut world = World::with(|kernel| {
        kernel.ticket()["provider"]["openid_connect"] = json!(false);
        kernel.ticket()["provider"]["id_token_signing_algs"] = json!([]);
        kernel.ticket()["scopes"] = json!(["repo"]);
    });
    world.provider.openid_connect = false;
    world.sign_in();
    assert_eq!((world.phase(), world.kernel.codes.len()), (Phase::Done, 1));
}

#[test]
fn both_ways_to_the_kernel_work() {
    let mut busy = World::with(in_kernel);
    busy.kernel.busy = true;
    busy.sign_in();
    assert_eq!(busy.phase(), Phase::Done, "the callback page carries it to the listener");
    assert_eq!((busy.kernel.codes.len(), busy.provider.token_requests.len()), (1, 1));

    let mut severed = World::with(in_kernel);
    severed.browser.severs_openers = true;
    severed.sign_in();
    assert_eq!(severed.phase(), Phase::Done, "the trait carries it");
    assert_eq!((severed.kernel.codes.len(), severed.provider.token_requests.len()), (1, 1));
}

#[test]
fn c43_a_code_that_is_sent_again_is_exchanged_once() {
    let mut world = World::with(in_kernel);
    world.browser.severs_openers = true;
    world.kernel.busy = true;
    world.sign_in();
    world.pass(Duration::from_secs(60));
    assert!(world.deliveries > 2);
    world.kernel.busy = false;
    world.settle();
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

#[test]
fn a_code_is_not_held_for_longer_than_it_lives() {
    let mut world = World::with(in_kernel);
    world.browser.severs_openers = true;
    world.kernel.busy = true;
    world.sign_in();
    world.pass(Duration::from_secs(599));
    assert_eq!(world.phase(), Phase::HandingOver);
    world.pass(Duration::from_secs(2));
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("hand_over_timed_out")));
}

#[test]
fn the_kernels_failure_is_shown() {
    let mut world = World::with(in_kernel);
    world.browser.severs_openers = true;
    world.provider.answer = Answer::Raw(400, r#"{"error":"invalid_grant"}"#.into());
    world.sign_in();
    assert_eq!((world.phase(), world.problem()), (Phase::Failed, Some("invalid_grant")));
}

#[test]
fn c6_a_second_callback_is_not_handed_over() {
    let mut world = World::with(in_kernel).going_to_provider();
    world.kernel.busy = true;
    world.browser.severs_openers = true;
    let query = world.honest_callback();
    world.callback_message(&query);
    assert_eq!(world.phase(), Phase::HandingOver);
    world.callback_message(&query);
    assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("state_mismatch"));
    assert_eq!(world.deliveries, 1);
    world.input(Input::Cancel);
    assert_eq!(world.phase(), Phase::Ready);
}
