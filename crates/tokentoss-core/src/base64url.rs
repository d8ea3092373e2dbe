//! base64url without padding (RFC 4648 section 5), the text form of every byte string here.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// Bytes to text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Bytes to text of the standard alphabet, with padding (RFC 4648 section 4). By way of the other one, because a second
/// encoder would take more room in a page than anything else that HTTP authentication needs.
#[must_use]
pub fn encode_standard(bytes: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(encode(bytes));
    let letters = text.chars().map(|letter| match letter {
        '-' => '+',
        '_' => '/',
        same => same,
    });
    let padding = text.len().next_multiple_of(4) - text.len();
    Zeroizing::new(letters.chain(core::iter::repeat_n('=', padding)).collect())
}

/// Text to bytes; `None` when it is not strict base64url.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}
