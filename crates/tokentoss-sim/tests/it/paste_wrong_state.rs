//! Attack: the address of a sign-in that somebody else began, which would sign the victim in as the attacker.

use tokentoss_core::flow::{Input, Phase};
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c6_another_sign_ins_address_is_refused() {
    let mut attacker = World::steered(|_| {});
    attacker.input(Input::Cancel);
    attacker.input(Input::SignIn);
    attacker.pass(std::time::Duration::from_secs(1));
    let theirs = attacker.honest_address();

    let mut world = World::steered(|_| {});
    world.paste(&theirs);
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Waiting, Some("state_mismatch")));
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
}

#[test]
fn c6_c40_state_is_compared_exactly_and_may_not_stand_twice() {
    let mut world = World::steered(|_| {});
    let address = world.honest_address();
    let at = address.find("&state=").expect("a state") + "&state=".len();
    let cut = format!("{}{}", &address[..at], &address[at + 1..]);
    for (text, code) in [
        (cut, "state_mismatch"),
        (address.replace("&state=", "&State="), "state_mismatch"),
        (address.replace("&state=", "&state=x"), "state_mismatch"),
        (format!("{address}&state=x"), "parameter_duplicated"),
        (format!("{address}&code=other"), "parameter_duplicated"),
    ] {
        world.paste(&text);
        assert_eq!((world.phase(), world.paste_problem()), (Phase::Waiting, Some(code)), "{text}");
    }
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
}

#[test]
fn c38_another_issuers_answer_is_refused_and_ends_nothing() {
    let mut world = World::steered(|_| {});
    let address = world.honest_address();
    world.paste(&address.replace("as.example", "evil.example"));
    assert_eq!((world.phase(), world.paste_problem()), (Phase::Waiting, Some("issuer_mismatch")));
    assert!(world.provider.token_requests.is_empty());
}
