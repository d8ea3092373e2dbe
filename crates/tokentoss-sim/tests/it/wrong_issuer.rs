//! Mix-up: the answer names another issuer (RFC 9207).

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn answered_with(change: impl FnOnce(String) -> String) -> World {
    let mut world = World::at_provider();
    let query = change(world.honest_callback());
    world.callback_message(&query);
    world.settle();
    world
}

#[test]
fn c38_a_wrong_issuer_is_refused_before_the_token_request() {
    for wrong in
        ["https%3A%2F%2Fas.example%2F", "https%3A%2F%2Fevil.example", "https%3A%2F%2FAS.example", "x"]
    {
        let world = answered_with(|query| query.replace("https%3A%2F%2Fas.example", wrong));
        assert_eq!(world.problem(), Some("issuer_mismatch"), "{wrong}");
        assert!(world.provider.token_requests.is_empty());
    }
}

#[test]
fn c38_a_missing_issuer_is_refused_when_the_provider_promises_one() {
    for missing in ["", "&iss="] {
        let world = answered_with(|query| query.replace("&iss=https%3A%2F%2Fas.example", missing));
        assert_eq!(world.problem(), Some("issuer_missing"));
        assert!(world.provider.token_requests.is_empty());
    }
}

#[test]
fn c38_error_answers_are_checked_too() {
    let world = answered_with(|query| {
        query.replace("code=code-1", "error=access_denied").replace("as.example", "evil.example")
    });
    assert_eq!(world.problem(), Some("issuer_mismatch"));
}

#[test]
fn c38_without_the_promise_it_may_be_absent_but_not_wrong() {
    let start = |sends_iss| {
        let mut world = World::with(|kernel| {
            kernel.ticket()["provider"]["iss_parameter_supported"] = false.into();
        });
        world.provider.sends_iss = sends_iss;
        world.sign_in();
        world.phase()
    };
    assert_eq!(start(false), Phase::Done);
    assert_eq!(start(true), Phase::Done);
    let mut world = World::with(|kernel| {
        kernel.ticket()["provider"]["iss_parameter_supported"] = false.into();
    });
    world.user = tokentoss_sim::User::Waits;
    world.sign_in();
    let query = world.honest_callback().replace("as.example", "evil.example");
    world.callback_message(&query);
    assert_eq!(world.problem(), Some("issuer_mismatch"));
}

/// H7: a window that opens the callback with the right state and no right issuer spends nothing.
#[test]
fn h7_the_sign_in_goes_on_after_an_answer_of_another_issuer() {
    for (wrong, code) in [
        ("&iss=https%3A%2F%2Fevil.example", "issuer_mismatch"),
        ("&iss=", "issuer_missing"),
        ("", "issuer_missing"),
        // One that is right does not make up for one that is wrong.
        ("&iss=https%3A%2F%2Fas.example&iss=https%3A%2F%2Fevil.example", "issuer_mismatch"),
    ] {
        let mut world = World::at_provider();
        let honest = world.honest_callback();
        let forged = honest.replace("&iss=https%3A%2F%2Fas.example", wrong);
        for forged in [forged.clone(), forged.replace("code=code-1", "error=access_denied")] {
            world.callback_message(&forged);
            assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some(code), "{forged}");
            assert_eq!(
                (world.phase(), world.problem()),
                (Phase::Waiting, Some(code)),
                "it waits and says why"
            );
            assert!(world.provider.token_requests.is_empty());
        }
        world.callback_message(&honest);
        world.settle();
        assert_eq!((world.phase(), world.problem(), world.kernel.tokens.len()), (Phase::Done, None, 1));
    }
}
