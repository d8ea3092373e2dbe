//! Sealing to a recipient's key with HPKE (RFC 9180), base mode.
//!
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. The associated data is empty, as
//! RFC 9180 section 8.1 advises for single messages: everything a message is bound to goes into
//! `info`, which both sides build from their own state, never from the message.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::base64url;
use crate::entropy::{Drawn, Entropy, draw};
use crate::error::{Error, ErrorCode};

/// The first byte of every sealed message.
const VERSION: u8 = 1;
/// Domain separation from every other use of HPKE.
const LABEL: &str = "tokentoss/hpke/1";
/// The length of an X25519 key, in bytes.
const KEY_LENGTH: usize = 32;
/// The longest sealed text that is looked at, in bytes.
const SEALED_LIMIT: usize = 256 * 1024;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type HpkePublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What a sealed message is for; a message for one purpose never opens for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A callback's query, from the kernel to the page.
    Callback,
    /// An authorization code, from the page to the kernel.
    Code,
    /// An OAuth client, from the page that it is entered in to the kernel.
    Configuration,
    /// An authorization code, from the page to a broker.
    Deposit,
    /// Tokens that a code entered on any device brought, from the page to the kernel.
    DeviceTokens,
    /// The proof with which a page that introduced itself begins an attempt, from the kernel to the page.
    Introduced,
    /// The answer to a registration over the comm, from the kernel to the page.
    Registered,
    /// The authorization request of an attempt that the page registers over the comm, from the page to the kernel.
    Registration,
    /// What a page tells the start page for its listener, from the page to the kernel.
    Start,
    /// Tokens, from the page to the kernel.
    Tokens,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Code => "code",
            Self::Configuration => "configuration",
            Self::Deposit => "deposit",
            Self::DeviceTokens => "device_tokens",
            Self::Introduced => "introduced",
            Self::Registered => "registered",
            Self::Registration => "registration",
            Self::Start => "start",
            Self::Tokens => "tokens",
        }
    }
}

/// What a message is bound to besides its purpose and its recipient.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The ticket that the sign-in runs on.
    pub ticket_id: &'a str,
    /// The OAuth client.
    pub client_id: &'a str,
    /// The provider's issuer identifier.
    pub issuer: &'a str,
}

/// A recipient's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_LENGTH]);

impl PublicKey {
    /// Reads a key from base64url; `None` when it is not 32 bytes.
    #[must_use]
    pub fn from_base64url(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(Self)
    }

    /// The key as base64url.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.0)
    }

    /// The key itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seals `plaintext` so that only this key's owner can read it, within this binding.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails, `sealing_failed` for an unusable key or a
    /// binding that is too long.
    pub fn seal(
        &self,
        purpose: Purpose,
        binding: Binding<'_>,
        plaintext: &[u8],
        rng: &mut dyn Entropy,
    ) -> Result<String, Error> {
        let failed = || Error::from(ErrorCode::SealingFailed);
        let recipient = HpkePublicKey::from_bytes(&self.0).map_err(|_| failed())?;
        let info = self.info(purpose, binding).ok_or_else(failed)?;
        let mut ephemeral = Drawn::new(draw::<KEY_LENGTH>(rng)?);
        let (encapped, ciphertext) = single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(
            &OpModeS::Base, &recipient, &info, plaintext, &[], &mut ephemeral
        )
        .map_err(|_| failed())?;
        let mut wire = Vec::with_capacity(1 + KEY_LENGTH + ciphertext.len());
        wire.push(VERSION);
        wire.extend_from_slice(&encapped.to_bytes());
        wire.extend_from_slice(&ciphertext);
        Ok(base64url::encode(&wire))
    }

    fn info(&self, purpose: Purpose, binding: Binding<'_>) -> Option<Vec<u8>> {
        let mut info = Vec::new();
        for part in [LABEL, purpose.label(), binding.ticket_id, binding.client_id, binding.issuer] {
            push_with_length(&mut info, part.as_bytes())?;
        }
        push_with_length(&mut info, &self.0)?;
        Some(info)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_base64url())
    }
}

/// A recipient's key pair.
pub struct KeyPair {
    private: PrivateKey,
    public: PublicKey,
}

impl KeyPair {
    /// Draws a fresh pair.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails.
    pub fn generate(rng: &mut dyn Entropy) -> Result<Self, Error> {
        let material = Zeroizing::new(draw::<KEY_LENGTH>(rng)?);
        let (private, public) = X25519HkdfSha256::derive_keypair(material.as_slice());
        Ok(Self { private, public: PublicKey(public.to_bytes().into()) })
    }

    /// Takes over a private key, for test vectors and keys that were stored.
    #[must_use]
    pub fn from_private_key(bytes: &[u8; KEY_LENGTH]) -> Option<Self> {
        let private = PrivateKey::from_bytes(bytes).ok()?;
        let public = PublicKey(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into());
        Some(Self { private, public })
    }

    /// The key others seal to.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Opens a sealed message; `None` when it was not sealed to this key, for this purpose and
    /// within this binding, or is damaged.
    #[must_use]
    pub fn open(&self, purpose: Purpose, binding: Binding<'_>, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.len() > SEALED_LIMIT {
            return None;
        }
        let wire = base64url::decode(sealed)?;
        let (version, rest) = wire.split_first()?;
        let (encapped, ciphertext) = rest.split_at_checked(KEY_LENGTH)?;
        if *version != VERSION {
            return None;
        }
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &EncappedKey::from_bytes(encapped).ok()?,
            &self.public.info(purpose, binding)?,
            ciphertext,
            &[],
        )
        .ok()
        .map(Zeroizing::new)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Appends `part` behind its length as two bytes, big-endian; `None` when it is longer than that.
pub(crate) fn push_with_length(out: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    out.extend_from_slice(&u16::try_from(part.len()).ok()?.to_be_bytes());
    out.extend_from_slice(part);
    Some(())
}
