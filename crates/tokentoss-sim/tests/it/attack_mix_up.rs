//! Two providers, one of them hostile, are mixed up (RFC 9700 section 4.4).

use rand_core::SeedableRng;
use serde_json::json;
use tokentoss_core::flow::{Input, Phase};
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{Kernel, LISTENER, PAGE, User, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn trust_8_an_answer_that_another_provider_gave_reaches_no_token_endpoint() {
    let mut world = World::at_provider();
    let honest = world.honest_callback();
    // The hostile provider learnt the state, because the honest one was asked in its place.
    let mixed = honest.replace("as.example", "evil.example");
    world.callback_message(&mixed);
    let address = format!("{LISTENER}/callback?{mixed}");
    world.paste(&address);
    assert_eq!(world.paste_problem(), Some("issuer_mismatch"));
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
    world.callback_message(&honest);
    world.settle();
    assert_eq!((world.phase(), world.provider.token_requests.len()), (Phase::Done, 1));
}

/// Trust rule 8: loopback endpoints only for loopback issuers.
#[test]
fn trust_8_endpoints_on_this_machine_belong_to_issuers_on_it() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let ticket = Kernel::new(&mut rng).ticket().clone();
    for member in ["authorization_endpoint", "token_endpoint", "device_authorization_endpoint"] {
        let mut bad = ticket.clone();
        bad["provider"][member] = json!("http://127.0.0.1:9/steal");
        let refused = Ticket::from_json(&bad.to_string(), PAGE).map(|_| ()).map_err(|error| error.code());
        assert_eq!(refused, Err(ErrorCode::EndpointInsecure), "{member}");
        bad["provider"]["issuer"] = json!("http://localhost:8080");
        assert!(Ticket::from_json(&bad.to_string(), PAGE).is_ok(), "{member}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn trust_8_the_same_rule_as_in_python() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut ticket = Kernel::new(&mut rng).ticket().clone();
    for vector in crate::vectors::read("loopback_endpoints.json").as_array().expect("a list") {
        ticket["provider"]["issuer"] = vector["issuer"].clone();
        ticket["provider"]["openid_connect"] = (vector.get("openid_connect") != Some(&json!(false))).into();
        let issuer = vector["issuer"].as_str().expect("a text");
        for member in ["authorization_endpoint", "device_authorization_endpoint"] {
            ticket["provider"][member] = format!("{issuer}/x").into();
        }
        ticket["provider"]["token_endpoint"] = vector["endpoint"].clone();
        let allowed = Ticket::from_json(&ticket.to_string(), PAGE).is_ok();
        assert_eq!(allowed, vector["allowed"] == true, "{vector}");
    }
}

/// A remote kernel: the browser's own machine is not asked first.
#[test]
fn trust_6_a_remote_kernel_is_not_looked_for_on_the_browsers_machine() {
    for (pages, way) in [(json!([]), "paste"), (json!(["https://pages.example/cb"]), "callback_page")] {
        let mut world = World::with(|kernel| {
            kernel.ticket()["remote_kernel"] = true.into();
            kernel.ticket()["callback_pages"] = pages;
        });
        assert!(world.comm.is_empty(), "no start page, no introduction");
        world.user = User::Waits;
        world.input(Input::SignIn);
        assert_eq!(world.way().map(|way| way.as_str()), Some(way));
        assert!(world.start_fragment.is_empty());
    }
}
