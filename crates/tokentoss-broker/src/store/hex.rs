//! Identifiers as text: lower-case hexadecimal digits.

use std::fmt;

use base16ct::lower;

/// Digits of an identifier.
const DIGITS: usize = 32;

pub(super) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(lower::encode_str(bytes, &mut [0; DIGITS]).map_err(|_| fmt::Error)?)
}

/// Reads what [`write`] wrote, and nothing else.
pub(super) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_whole = lower::decode(text, &mut bytes).ok()?.len() == N;
    is_whole.then_some(bytes)
}
