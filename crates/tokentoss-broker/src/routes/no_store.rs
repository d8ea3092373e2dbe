//! What every answer has in common: it is of one caller, and nothing for a cache.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Says so, also where a service that was called for the caller says something else.
pub(super) async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
