//! The one source of randomness: the operating system's generator.

use tokentoss_core::{Entropy, Error, ErrorCode};

/// The operating system's generator, in the form that the core takes.
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).map_err(|_| ErrorCode::EntropyUnavailable.into())
    }
}

/// Fills an array from the operating system's generator.
///
/// # Panics
/// When the operating system has none: nothing can be sealed then.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness nothing may go on")]
    getrandom::fill(&mut bytes).expect("the operating system's random numbers");
    bytes
}

/// A random 128-bit number that identifies a lease or a cell.
pub(crate) fn number() -> u128 {
    u128::from_be_bytes(bytes())
}
