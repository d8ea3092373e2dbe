//! Random bytes, drawn from the generator that the caller lends.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::error::{Error, ErrorCode};

/// A source of randomness that is lent for one call: any generator that is fit for cryptography.
pub trait Entropy {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails; there is no fallback (RFC 7636 section 7.1).
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error>;
}

impl<R: TryCryptoRng> Entropy for R {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.try_fill_bytes(bytes).map_err(|_| ErrorCode::EntropyUnavailable.into())
    }
}

/// Draws `N` bytes.
///
/// # Errors
/// `entropy_unavailable` when the generator fails.
pub(crate) fn draw<const N: usize>(rng: &mut dyn Entropy) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rng.fill(&mut bytes)?;
    Ok(bytes)
}

/// Hands bytes that were drawn already to an interface that cannot report a failing generator.
///
/// It answers once: more bytes than were drawn read as zero, so callers draw what they need.
pub(crate) struct Drawn<const N: usize> {
    bytes: [u8; N],
    used: usize,
}

impl<const N: usize> Drawn<N> {
    pub(crate) fn new(bytes: [u8; N]) -> Self {
        Self { bytes, used: 0 }
    }

    fn take<const K: usize>(&mut self) -> [u8; K] {
        let mut out = [0; K];
        self.fill(&mut out);
        out
    }

    fn fill(&mut self, out: &mut [u8]) {
        for (slot, byte) in out.iter_mut().zip(self.bytes.iter_mut().skip(self.used)) {
            *slot = core::mem::take(byte);
        }
        self.used = self.used.saturating_add(out.len());
    }
}

impl<const N: usize> TryRng for Drawn<N> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.take()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.take()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}

impl<const N: usize> TryCryptoRng for Drawn<N> {}
