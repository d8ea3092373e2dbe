//! A hostile page knows a ticket and opens the listener's start page with one click of the user.

use serde_json::json;
use tokentoss_core::flow::Phase;
use tokentoss_sim::{PAGE, Place, Registration, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::forged;

const EVIL: &str = "https://evil.example";

#[test]
fn trust_3_its_registration_waits_for_the_users_yes() {
    let mut world = World::new();
    let proofs = world.kernel.proofs();
    let guess = "A".repeat(43);
    // The right proof is of use to the page that was introduced with it only.
    for proof in [None, Some(""), Some(guess.as_str()), Some(proofs[0].as_str())] {
        let start = forged::start(&mut world, proof);
        let answer = world.kernel.register(&start, EVIL, None, &mut forged::rng());
        assert!(matches!(answer, Registration::Confirm(_)), "{answer:?}");
    }
    assert_eq!(world.kernel.proofs(), proofs, "nothing was registered");
}

#[test]
fn trust_3_a_no_ends_it_and_the_notebooks_own_sign_in_works() {
    let mut world = World::new();
    let window = world.browser.open(Place::ErrorPage);
    let start = forged::start(&mut world, None);
    let fragment = format!("{}.{}", world.kernel.ticket_id(), forged::keys().public().to_base64url());
    world.start_page_receives(window, &fragment, EVIL, &start);
    assert!(world.browser.confirming.is_some());
    world.confirm(false);
    assert!(world.provider.authorization_requests.is_empty(), "nobody was sent to the provider");
    world.sign_in();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1));
}

#[test]
fn trust_3_a_yes_counts_once_and_for_that_page_and_attempt() {
    let mut world = World::new();
    let start = forged::start(&mut world, None);
    let mut rng = forged::rng();
    let Registration::Confirm(token) = world.kernel.register(&start, EVIL, None, &mut rng) else {
        panic!("a question")
    };
    for (origin, token) in [(EVIL, "A"), ("https://other.example", token.as_str())] {
        let answer = world.kernel.register(&start, origin, Some(token), &mut rng);
        assert!(matches!(answer, Registration::Confirm(_)), "{origin}");
    }
    let mut other = start.clone();
    other["key"] = json!("A".repeat(43));
    let answer = world.kernel.register(&other, EVIL, Some(&token), &mut rng);
    assert!(matches!(answer, Registration::Refused("registration_refused")), "another key");
    let answer = world.kernel.register(&start, EVIL, Some(&token), &mut rng);
    assert!(matches!(answer, Registration::Registered { .. }));
    let answer = world.kernel.register(&start, EVIL, Some(&token), &mut rng);
    assert!(matches!(answer, Registration::Confirm(_)), "once");
}

#[test]
fn trust_3_where_peers_are_not_known_the_own_origin_is_no_reason() {
    let mut world = World::new();
    let start = forged::start(&mut world, None);
    let answer = world.kernel.register(&start, PAGE, None, &mut forged::rng());
    assert!(matches!(answer, Registration::Registered { .. }), "the notebook's own server");
    world.kernel.trusts_peers = false;
    let answer = world.kernel.register(&start, PAGE, None, &mut forged::rng());
    assert!(matches!(answer, Registration::Confirm(_)));
}
