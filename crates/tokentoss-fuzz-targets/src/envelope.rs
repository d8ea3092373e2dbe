//! Sealed messages. The first byte chooses the purpose and what is changed on the way. With its bit 64 the rest is
//! a sealed text as it may come in; else it is what is sealed.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tokentoss_core::sealing::{Binding, Purpose};

use crate::Outcome;
use crate::attempt::{self, CLIENT_ID, ISSUER};
use crate::redaction::assert_hidden;

const RAW: u8 = 64;
const PURPOSES: [Purpose; 8] = [
    Purpose::Tokens,
    Purpose::Callback,
    Purpose::Registered,
    Purpose::Configuration,
    Purpose::Code,
    Purpose::Registration,
    Purpose::DeviceTokens,
    Purpose::Introduced,
];
const BINDING: Binding<'static> = Binding { ticket_id: "ticket-1", client_id: CLIENT_ID, issuer: ISSUER };

/// C60: what is sealed opens for its owner, purpose and binding, and for nothing else, however it is changed.
///
/// # Panics
/// When that does not hold.
pub fn envelope(input: &[u8]) -> Outcome {
    let Some((choice, rest)) = input.split_first() else { return Err(None) };
    let purpose = PURPOSES[usize::from(choice & 7) % PURPOSES.len()];
    let keys = attempt::kernel_keys();
    if choice & RAW == 0 {
        round_trip(purpose, rest);
        return Ok(());
    }
    let Ok(sealed) = std::str::from_utf8(rest) else { return Err(None) };
    let Some(opened) = keys.open(purpose, BINDING, sealed) else { return Err(None) };
    // Text that opens is of one form only: another spelling of it must not open as well.
    for other in [format!("{sealed}="), format!(" {sealed}"), format!("{sealed}A")] {
        assert!(keys.open(purpose, BINDING, &other).is_none(), "{other} opens, too");
    }
    round_trip(purpose, &opened);
    Ok(())
}

fn round_trip(purpose: Purpose, plaintext: &[u8]) {
    let keys = attempt::kernel_keys();
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let sealed = keys.public().seal(purpose, BINDING, plaintext, &mut rng).expect("sealed");
    assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    let opened = keys.open(purpose, BINDING, &sealed);
    assert_eq!(opened.as_ref().map(|text| text.as_slice()), Some(plaintext), "the round trip");
    if let Ok(secret) = std::str::from_utf8(plaintext) {
        assert_hidden(&format!("{keys:?} {BINDING:?} {sealed}"), secret, secret);
    }

    let other = PURPOSES[plaintext.len() % PURPOSES.len()];
    assert!(other == purpose || keys.open(other, BINDING, &sealed).is_none(), "another purpose");
    for binding in [
        Binding { ticket_id: "ticket-2", ..BINDING },
        Binding { client_id: "client-2", ..BINDING },
        Binding { issuer: "https://other.example", ..BINDING },
        // The same letters with the borders elsewhere.
        Binding { ticket_id: "ticket-1c", client_id: "lient-1", ..BINDING },
    ] {
        assert!(keys.open(purpose, binding, &sealed).is_none(), "another binding");
    }
    let at = plaintext.iter().fold(plaintext.len(), |sum, byte| sum * 31 % 65_521 + usize::from(*byte))
        % sealed.len();
    let mut changed = sealed.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(keys.open(purpose, BINDING, &changed).is_none(), "changed at {at}");
}
