//! `Cache-Control: no-store` for every response, because it is for one caller.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Sets the header, also on a response of a service that has another value.
pub(super) async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
