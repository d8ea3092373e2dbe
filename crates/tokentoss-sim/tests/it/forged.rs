//! What somebody who has read a ticket can make of it.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use tokentoss_core::base64url;
use tokentoss_core::registration::AnswerKey;
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};
use tokentoss_sim::{CLIENT_ID, ISSUER, World};

/// Keys of somebody who is not the notebook page.
pub(crate) fn keys() -> KeyPair {
    KeyPair::generate(&mut ChaCha20Rng::seed_from_u64(666)).expect("a key pair")
}

/// Random numbers of theirs.
pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(668)
}

/// Seals a text to the ticket's key, as anybody can.
pub(crate) fn sealed(world: &mut World, purpose: Purpose, plaintext: &Value) -> String {
    let key = world.kernel.ticket()["public_key"].as_str().expect("a key").to_owned();
    let key = PublicKey::from_base64url(&key).expect("a public key");
    let ticket_id = world.kernel.ticket_id().to_owned();
    let binding = Binding { ticket_id: &ticket_id, client_id: CLIENT_ID, issuer: ISSUER };
    let mut rng = ChaCha20Rng::seed_from_u64(667);
    key.seal(purpose, binding, plaintext.to_string().as_bytes(), &mut rng).expect("sealed")
}

/// A `start` message of one's own, whole in every other way.
pub(crate) fn start(world: &mut World, proof: Option<&str>) -> Value {
    let key = keys().public().to_base64url();
    let answer_key = AnswerKey::from_base64url(&base64url::encode(&[6; 32])).expect("a key");
    let url = "https://as.example/authorize?client_id=client.apps.example&state=of-somebody-else";
    let inside =
        json!({"url": url, "key": key, "proof": proof, "answer_key": answer_key.to_base64url().expose()});
    let ticket = world.kernel.ticket_id().to_owned();
    let sealed = sealed(world, Purpose::Start, &inside);
    json!({"type": "start", "ticket": ticket, "key": key, "sealed": sealed})
}
