//! The one source of randomness.

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

/// A number for a lease or a cell, which nobody has used before.
pub(crate) fn number() -> u128 {
    u128::from_be_bytes(bytes())
}
