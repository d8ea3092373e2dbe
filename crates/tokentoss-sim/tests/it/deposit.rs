//! The code is deposited at a broker: it passes page and kernel sealed, and no token comes to either.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use tokentoss_core::deposit::Deposit;
use tokentoss_core::flow::Phase;
use tokentoss_core::sealing::KeyPair;
use tokentoss_core::{ErrorCode, Ticket};
use tokentoss_sim::{CLIENT_ID, ISSUER, Kernel, PAGE, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const AUTHORIZATION: &str = "authorization-1";

fn key(seed: u64) -> KeyPair {
    KeyPair::generate(&mut ChaCha20Rng::seed_from_u64(seed)).expect("a key")
}

fn at_broker(kernel: &mut Kernel) {
    let key = key(2);
    kernel.ticket()["deposit_key"] = json!(key.public().to_base64url());
    kernel.rename(AUTHORIZATION);
    let provider = kernel.ticket()["provider"].as_object_mut().expect("an object");
    provider.remove("device_authorization_endpoint");
    kernel.broker = Some((AUTHORIZATION.to_owned(), key));
}

fn deposited() -> (World, String) {
    let mut world = World::with(at_broker);
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done, "{:?}", world.flow.status());
    let [code] = &world.kernel.codes[..] else { panic!("one code") };
    let sealed = code["code"].as_str().expect("a deposit").to_owned();
    (world, sealed)
}

#[test]
fn the_kernel_gets_nothing_that_it_can_redeem() {
    let (world, _) = deposited();
    let [code] = &world.kernel.codes[..] else { panic!("one code") };
    assert_eq!((code["code_verifier"].as_str(), code["proof"].is_string()), (Some(""), true));
    let request = &world.provider.token_requests[0];
    let known = ["code", "code_verifier"].map(|name| request[name].clone());
    assert_eq!(world.provider.token_requests.len(), 1);
    let seen = [world.comm.join(" "), world.envelope.clone(), code.to_string()].concat();
    assert!(known.iter().all(|secret| !seen.contains(secret)), "sealed to the broker alone");
}

#[test]
fn a_deposit_opens_for_its_own_sign_in_alone() {
    let (_, sealed) = deposited();
    let open = |key: &KeyPair, authorization, client, issuer, sealed: &str| {
        Deposit::open(key, authorization, client, issuer, sealed).is_some()
    };
    assert!(open(&key(2), AUTHORIZATION, CLIENT_ID, ISSUER, &sealed));
    assert!(!open(&key(3), AUTHORIZATION, CLIENT_ID, ISSUER, &sealed), "another key");
    assert!(!open(&key(2), "authorization-2", CLIENT_ID, ISSUER, &sealed), "another sign-in");
    assert!(!open(&key(2), AUTHORIZATION, "client-2", ISSUER, &sealed), "another client");
    assert!(!open(&key(2), AUTHORIZATION, CLIENT_ID, "https://elsewhere.example", &sealed), "another issuer");
    assert!(!open(&key(2), AUTHORIZATION, CLIENT_ID, ISSUER, &sealed[..sealed.len() - 1]), "cut off");
}

#[test]
fn a_ticket_with_a_deposit_has_no_other_way_to_tokens() {
    let ticket = || {
        let mut kernel = Kernel::new(&mut ChaCha20Rng::seed_from_u64(1));
        at_broker(&mut kernel);
        kernel.ticket().clone()
    };
    let refused = |change: fn(&mut Value)| {
        let mut bad = ticket();
        change(&mut bad);
        let error = Ticket::from_json(&bad.to_string(), PAGE).expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::TicketInvalid, "{bad}");
    };
    assert!(Ticket::from_json(&ticket().to_string(), PAGE).is_ok());
    refused(|ticket| {
        ticket["provider"]["device_authorization_endpoint"] = json!(format!("{ISSUER}/device_authorization"));
    });
    refused(|ticket| ticket["deposit_key"] = json!("AAAA"));
}
