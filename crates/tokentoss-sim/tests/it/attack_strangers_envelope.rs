//! A stranger seals tokens of their own to the ticket's key and brings them to the listener.

use serde_json::json;
use tokentoss_core::flow::Phase;
use tokentoss_core::sealing::Purpose;
use tokentoss_sim::{Channel, Taken, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::forged;

#[test]
fn trust_5_without_the_registrations_proof_nothing_is_used_up() {
    let mut world = World::at_provider();
    let introduced = world.kernel.proofs()[0].clone();
    for proof in [json!(null), json!(""), json!("A".repeat(43)), json!(introduced), json!(7)] {
        for purpose in [Purpose::Tokens, Purpose::Code] {
            let stranger =
                json!({"version": 2, "ticket": world.kernel.ticket_id(), "salt": "s", "proof": proof});
            let envelope = forged::sealed(&mut world, purpose, &stranger);
            assert_eq!(world.kernel.take(&envelope, Channel::Listener), Taken::ProofMismatch);
        }
        let stranger = json!({"version": 2, "proof": proof});
        let envelope = forged::sealed(&mut world, Purpose::DeviceTokens, &stranger);
        assert_eq!(world.kernel.take(&envelope, Channel::Listener), Taken::Nothing, "by the comm only");
        assert_eq!(world.kernel.take(&envelope, Channel::Comm), Taken::Nothing, "no page shows a code");
    }
    let query = world.honest_callback();
    world.callback_message(&query);
    world.settle();
    assert_eq!((world.phase(), world.kernel.tokens.len()), (Phase::Done, 1), "the sign-in went on");
    assert_eq!(world.kernel.tokens[0]["access_token"], "access-1");
}
