//! How the kernel answers a page that registers an attempt, and how the page knows that it was the kernel.
//!
//! The page gives the kernel a key inside what it seals for it. Who answers with that key could open the seal, so the page
//! can tell the kernel's listener from another program on the port. Oblivious HTTP derives such a key from the HPKE context
//! (RFC 9458 section 4.4); here it travels inside the seal, because Python's `cryptography` exports no secret of a context.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

use crate::base64url;
use crate::entropy::{Entropy, draw};
use crate::error::{Error, ErrorCode};
use crate::json::Object;
use crate::sealing::{PublicKey, push_with_length};
use crate::secret::Secret;

/// The first byte of every answer.
const VERSION: u8 = 1;
/// Domain separation from every other use of the cipher.
const LABEL: &str = "tokentoss/answer/1";
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
/// The longest answer that is looked at, in bytes.
const LENGTH_LIMIT: usize = 64 * 1024;
/// The length of a proof: 32 bytes as base64url.
const PROOF_LENGTH: usize = 43;

/// The key of the one answer to an attempt's registration.
pub struct AnswerKey(Zeroizing<[u8; KEY_LENGTH]>);

impl AnswerKey {
    /// Draws a fresh key.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails.
    pub fn generate(rng: &mut dyn Entropy) -> Result<Self, Error> {
        Ok(Self(Zeroizing::new(draw(rng)?)))
    }

    /// Reads a key from base64url; `None` when it is not 32 bytes.
    #[must_use]
    pub fn from_base64url(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64url::decode(text)?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The key as base64url, to be sealed.
    #[must_use]
    pub fn to_base64url(&self) -> Secret {
        base64url::encode(self.0.as_slice()).into()
    }

    /// Seals an answer, as the kernel does.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails, `sealing_failed` for a ticket whose identifier is too long.
    pub fn seal(
        &self,
        ticket_id: &str,
        attempt_key: &PublicKey,
        plaintext: &[u8],
        rng: &mut dyn Entropy,
    ) -> Result<String, Error> {
        let failed = || Error::from(ErrorCode::SealingFailed);
        let nonce = draw::<NONCE_LENGTH>(rng)?;
        let associated = associated_data(ticket_id, attempt_key).ok_or_else(failed)?;
        let payload = Payload { msg: plaintext, aad: &associated };
        let ciphertext = self.cipher().encrypt(&nonce.into(), payload).map_err(|_| failed())?;
        let mut wire = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
        wire.push(VERSION);
        wire.extend_from_slice(&nonce);
        wire.extend_from_slice(&ciphertext);
        Ok(base64url::encode(&wire))
    }

    /// Opens an answer; `None` when it was not made with this key, for this ticket and attempt, or is damaged.
    #[must_use]
    pub fn open(&self, ticket_id: &str, attempt_key: &PublicKey, answer: &str) -> Option<Zeroizing<Vec<u8>>> {
        if answer.len() > LENGTH_LIMIT {
            return None;
        }
        let wire = base64url::decode(answer)?;
        let (version, rest) = wire.split_first()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        if *version != VERSION {
            return None;
        }
        let associated = associated_data(ticket_id, attempt_key)?;
        let payload = Payload { msg: ciphertext, aad: &associated };
        self.cipher().decrypt(&(*nonce).into(), payload).ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&(*self.0).into())
    }
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKey(…)")
    }
}

fn associated_data(ticket_id: &str, attempt_key: &PublicKey) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    for part in [LABEL.as_bytes(), ticket_id.as_bytes(), attempt_key.as_bytes()] {
        push_with_length(&mut data, part)?;
    }
    Some(data)
}

/// What the kernel says to a page whose attempt it registered.
#[derive(Debug)]
pub(crate) struct Registration {
    /// What the page's envelope must carry if it comes by the listener.
    pub(crate) proof: Secret,
    /// The client secret, where the page may redeem the code with it.
    pub(crate) client_secret: Option<Secret>,
}

impl Registration {
    /// Reads the answer's text; `None` for anything else.
    pub(crate) fn read(plaintext: &[u8]) -> Option<Self> {
        let mut object = Object::read(core::str::from_utf8(plaintext).ok()?).ok()?;
        let proof = read_proof(&mut object)?;
        let client_secret = object.secret("client_secret");
        object.check().is_ok().then_some(Self { proof, client_secret })
    }
}

/// Reads the proof from the kernel's answer to an introduction; `None` for anything else.
pub(crate) fn introduction_proof(plaintext: &[u8]) -> Option<Secret> {
    read_proof(&mut Object::read(core::str::from_utf8(plaintext).ok()?).ok()?)
}

fn read_proof(object: &mut Object) -> Option<Secret> {
    object.secret("proof").filter(|proof| proof.expose().len() == PROOF_LENGTH)
}
