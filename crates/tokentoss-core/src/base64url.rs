//! base64url without padding (RFC 4648 section 5), the text form of every byte string here.
//!
//! Not in constant time, which the crate `base64` does not offer: who can time a table of this page from within its process
//! can read the page's memory as well.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes to text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes to text of the standard alphabet, with padding (RFC 4648 section 4).
#[must_use]
pub fn encode_standard(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// Text to bytes; `None` when it is not strict base64url.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_text_of_some_bytes_is_read() {
        assert_eq!(decode("-_8").as_deref(), Some(&[0xfb, 0xff][..]));
        // Padding, the other alphabet, bits that are left over, white space.
        for bad in ["-_8=", "+/8", "-_9", "-_8 ", "-\n_8", "A"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn http_authentication_has_the_standard_alphabet_and_padding() {
        assert_eq!(encode_standard(&[0xfb, 0xff]).as_str(), "+/8=");
    }
}
