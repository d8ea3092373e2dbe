//! The lengths of bodies, where the HTTP library alone says none or a wrong one.

use axum::http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use axum::http::{Method, StatusCode};

/// The header that says where the body of a request ends; `told` are the caller's headers.
pub(super) fn frame(headers: &mut HeaderMap, length: Option<u64>, method: &Method, told: &HeaderMap) {
    match length {
        // Of no body nothing is said where none is usual (RFC 9110 section 8.6).
        Some(0) if has_usually_none(method) && !told.contains_key(CONTENT_LENGTH) => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        // Without it, the body of a GET would be left out.
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

/// The length of what GET would answer, as an answer to HEAD tells it; none where that is not plain.
pub(super) fn length_of_get(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    // Beside a transfer encoding a length does not count (RFC 9112 section 6.3), and 204 has none.
    if status == StatusCode::NO_CONTENT || headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

fn has_usually_none(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS)
}
