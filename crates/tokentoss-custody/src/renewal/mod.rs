//! The refresh request and its answer (RFC 6749 section 6): the only part of this crate that sees tokens.

mod answer;
mod members;
mod request;

pub use answer::{BODY_LIMIT, RefreshAnswer, RefreshResult, Tokens};
pub use request::{Authentication, RefreshRequest, RevocationRequest};
