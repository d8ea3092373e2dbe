//! `GET /openapi.json` on the administrators' port: the document of the interface for callers.
//!
//! It is a file and not made from the handlers: one route takes any method, host and path, which no macro can read from its
//! types, and a document that a person reads in one piece shows what changes. A test compares it with the router.

use axum::http::header;
use axum::response::IntoResponse;

/// The document, OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
