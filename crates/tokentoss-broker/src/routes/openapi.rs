//! `GET /openapi.json` on the administrators' port: the document of the interface for callers.
//!
//! It is a file and not generated from the handlers: one route takes any method, host and path, which no
//! macro can derive from types, and changes are visible in a file. A test compares it with the router.

use axum::http::header;
use axum::response::IntoResponse;

/// The document, OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
