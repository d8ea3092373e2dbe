//! Mistake: not all of the address was copied. Whatever its length, it ends nothing and exchanges nothing.

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c6_every_beginning_of_the_address_is_refused() {
    let mut world = World::steered(|_| {});
    let address = world.honest_address();
    let issuer = address.find("&iss=").expect("an issuer") + "&iss=".len();
    for end in 0..address.len() {
        world.paste(&address[..end]);
        let problem = world.paste_problem().map(str::to_owned).expect("a sentence");
        let expected = match end {
            0..=4 if !address[..end].contains(':') && end > 0 => "paste_code_only",
            0..7 => "paste_not_an_address",
            7..30 => "paste_other_address",
            _ if end <= issuer && problem == "issuer_missing" => "issuer_missing",
            _ if end > issuer => "issuer_mismatch",
            _ => "state_mismatch",
        };
        assert_eq!((world.phase(), problem.as_str()), (Phase::Waiting, expected), "{}", &address[..end]);
    }
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
    world.paste(&address);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}
