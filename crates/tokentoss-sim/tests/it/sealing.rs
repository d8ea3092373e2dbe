//! Sealed messages open for their recipient, purpose and binding only.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokentoss_core::base64url;
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const BINDING: Binding<'_> = Binding { ticket_id: "t", client_id: "c", issuer: "https://as.example" };

fn pair(seed: u64) -> KeyPair {
    KeyPair::generate(&mut ChaCha20Rng::seed_from_u64(seed)).expect("a key pair")
}

fn seal(text: &[u8]) -> String {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    pair(1).public().seal(Purpose::Tokens, BINDING, text, &mut rng).expect("sealed")
}

#[test]
fn c71_everything_a_message_is_bound_to_counts() {
    let sealed = seal(b"text");
    let open = |keys: &KeyPair, purpose, binding| keys.open(purpose, binding, &sealed).is_some();
    assert!(open(&pair(1), Purpose::Tokens, BINDING));
    assert!(!open(&pair(9), Purpose::Tokens, BINDING), "another key");
    assert!(!open(&pair(1), Purpose::Callback, BINDING), "another purpose");
    for other in [
        Binding { ticket_id: "u", ..BINDING },
        Binding { client_id: "d", ..BINDING },
        Binding { issuer: "https://as.example/", ..BINDING },
        Binding { ticket_id: "tc", client_id: "", ..BINDING },
    ] {
        assert!(!open(&pair(1), Purpose::Tokens, other), "{other:?}");
    }
}

#[test]
fn c71_damage_is_noticed_everywhere() {
    let sealed = base64url::decode(&seal(b"a text of some length")).expect("base64url");
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        // The top bit of an X25519 point is ignored, all others count.
        let opened = pair(1).open(Purpose::Tokens, BINDING, &base64url::encode(&damaged));
        assert!(opened.is_none(), "byte {at}");
    }
    for length in 0..sealed.len() {
        let cut = base64url::encode(&sealed[..length]);
        assert!(pair(1).open(Purpose::Tokens, BINDING, &cut).is_none(), "cut to {length}");
    }
}

#[test]
fn garbage_does_not_open() {
    for garbage in ["", "A", "====", "not base64url!", &"A".repeat(400_000)] {
        assert!(pair(1).open(Purpose::Tokens, BINDING, garbage).is_none());
    }
}

#[test]
fn an_unusable_key_is_refused() {
    let zero = PublicKey::from_base64url(&base64url::encode(&[0; 32])).expect("32 bytes");
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let refused = zero.seal(Purpose::Tokens, BINDING, b"text", &mut rng).expect_err("a refusal");
    assert_eq!(refused.code().as_str(), "sealing_failed");
    assert!(PublicKey::from_base64url("AAAA").is_none());
}

#[test]
fn an_empty_text_seals_too() {
    assert_eq!(pair(1).open(Purpose::Tokens, BINDING, &seal(b"")).expect("opens").as_slice(), b"");
}

#[test]
fn c72_debug_shows_no_private_key() {
    let shown = format!("{:?}", pair(1));
    assert!(shown.starts_with("KeyPair { public: PublicKey(") && shown.ends_with(".. }"), "{shown}");
}
