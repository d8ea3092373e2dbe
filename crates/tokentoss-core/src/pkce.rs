//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use alloc::string::String;

use sha2::{Digest, Sha256};

use crate::base64url;
use crate::entropy::{Entropy, draw};
use crate::error::Error;
use crate::secret::Secret;

/// The code verifier: 43 characters that carry 256 random bits (RFC 7636 section 4.1).
#[derive(Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Draws a fresh verifier.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails.
    pub fn generate(rng: &mut dyn Entropy) -> Result<Self, Error> {
        Ok(Self(Secret::new(base64url::encode(&draw::<32>(rng)?))))
    }

    /// One that was drawn before, and kept by somebody else or in a database.
    #[must_use]
    pub fn stored(verifier: Secret) -> Self {
        Self(verifier)
    }

    /// The S256 code challenge (RFC 7636 section 4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        base64url::encode(&Sha256::digest(self.0.expose()))
    }

    /// The verifier itself, for the token request only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn c3_rfc_7636_appendix_b() {
        let verifier = CodeVerifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()));
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn c3_length_and_alphabet() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        for _ in 0..1_000 {
            let verifier = CodeVerifier::generate(&mut rng).unwrap();
            assert_eq!(verifier.expose().len(), 43);
            let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            assert!(verifier.expose().bytes().all(unreserved));
        }
    }
}
