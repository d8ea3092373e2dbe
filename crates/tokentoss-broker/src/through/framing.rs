//! The framing headers that the HTTP library would leave out or set wrongly.

use axum::http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use axum::http::{Method, StatusCode};

/// Sets the header that delimits the body of a request; `told` are the caller's headers.
pub(super) fn frame(headers: &mut HeaderMap, length: Option<u64>, method: &Method, told: &HeaderMap) {
    match length {
        // A method that usually has no body needs no length (RFC 9110 section 8.6).
        Some(0) if has_usually_none(method) && !told.contains_key(CONTENT_LENGTH) => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        // Without this header, the body of a GET would be dropped.
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

/// The `Content-Length` in a response to HEAD; none if it is missing or ambiguous.
pub(super) fn length_of_get(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    // A transfer encoding overrides the length (RFC 9112 section 6.3), and 204 has none.
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
