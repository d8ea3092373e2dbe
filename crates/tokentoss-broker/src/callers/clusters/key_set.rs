//! A cluster's public keys (JWK Set, RFC 7517), and signatures by them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set that are read; a cluster has one, or two during a key rotation.
const KEYS_LIMIT: usize = 64;
/// The shortest and the longest RSA modulus, in bytes.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// A coordinate of P-256, in bytes.
const COORDINATE: usize = 32;

/// The public keys of a cluster that can verify signatures here.
#[derive(Debug)]
pub(super) struct KeySet(Vec<NamedKey>);

#[derive(Debug)]
struct NamedKey {
    id: String,
    key: Key,
}

/// A public key. Its kind decides the algorithm (RFC 8725 section 3.1); a token only says which one it was.
#[derive(Debug)]
enum Key {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 { modulus: Vec<u8>, exponent: Vec<u8> },
    /// ECDSA on P-256 with SHA-256; an uncompressed point.
    Es256 { point: Vec<u8> },
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// A JSON Web Key as it is published (RFC 7518 section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    used_for: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Parses a published JWK Set; none if it is malformed or has no usable key. Keys of other types are
    /// ignored, so that a cluster can add them (RFC 7517 section 5).
    pub(super) fn read(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().take(KEYS_LIMIT);
        let keys: Vec<NamedKey> =
            keys.filter_map(|key| serde_json::from_value(key).ok()).filter_map(Jwk::read).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Whether a key has this identifier.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|named| named.id == id)
    }

    /// Whether this is the signature of a key with this identifier, by the algorithm that is the key's.
    pub(super) fn verify(&self, id: &str, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let mut keys = self.0.iter().filter(|named| named.id == id && named.key.algorithm() == algorithm);
        keys.any(|named| named.key.verify(message, signature))
    }
}

impl Jwk {
    fn read(self) -> Option<NamedKey> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => {
                Key::Rs256 { modulus: number(&bytes(&self.n)?), exponent: number(&bytes(&self.e)?) }
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                let is_point = x.len() == COORDINATE && y.len() == COORDINATE;
                let point = is_point.then(|| [&[4], x.as_slice(), y.as_slice()].concat())?;
                Key::Es256 { point }
            }
            _ => return None,
        };
        let is_for_us = self.used_for.is_none_or(|what| what == "sig")
            && self.alg.is_none_or(|algorithm| algorithm == key.algorithm());
        let is_strong = match &key {
            Key::Rs256 { modulus, .. } => MODULUS.contains(&modulus.len()),
            Key::Es256 { .. } => true,
        };
        (is_for_us && is_strong && !self.kid.is_empty()).then_some(NamedKey { id: self.kid, key })
    }
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256 { .. } => "RS256",
            Self::Es256 { .. } => "ES256",
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rs256 { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Self::Es256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}

/// A big-endian number without leading zeros, which some encoders add.
fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}
