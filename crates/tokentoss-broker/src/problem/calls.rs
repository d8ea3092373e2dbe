//! Problems of calls made for the caller, and of those who ask.

use std::time::Duration;

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;

use super::Problem;

impl Problem {
    /// An audience that callers may not ask for.
    #[must_use]
    pub(super) const fn audience_forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "audience_forbidden",
            "ask_admin",
            "Tokens for this audience may not be asked for here. Ask the broker's administrator to add it to audiences.",
        )
    }

    /// No administrator allowed this call.
    #[must_use]
    pub const fn target_forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "target_forbidden",
            "ask_admin",
            "This call is not allowed. Ask the broker's administrator to allow origin, method and path.",
        )
    }

    /// The service gave no answer.
    #[must_use]
    pub const fn target_unavailable() -> Self {
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            "target_unavailable",
            5,
            "The service cannot be reached, or does not answer. Try again later.",
        )
    }

    /// The service answered with what is no answer.
    #[must_use]
    pub const fn target_misbehaved() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "target_misbehaved",
            "retry",
            "The service answers with something that cannot be passed on. Try again later.",
        )
    }

    /// The body is longer than it may be.
    #[must_use]
    pub const fn request_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "fix_config",
            "The request's body is longer than this broker takes. Send less at once.",
        )
    }

    /// The body ended early, or no more of it came.
    #[must_use]
    pub const fn request_incomplete() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "request_incomplete",
            "retry",
            "The request's body ended early, or stopped coming. Send it again.",
        )
    }

    /// The user makes more calls than one may.
    #[must_use]
    pub const fn too_many_calls(seconds: u64) -> Self {
        Self::later(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            seconds,
            "This user makes too many calls. Try again later.",
        )
    }

    /// The provider gives no ID token, or none that lives.
    #[must_use]
    pub const fn id_token_missing() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "id_token_missing",
            "sign_in",
            "There is no ID token for this account. Sign in again, with the scope openid.",
        )
    }

    /// The hub that would know the caller does not answer.
    #[must_use]
    pub const fn hub_unavailable() -> Self {
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            "hub_unavailable",
            5,
            "The JupyterHub that knows the caller does not answer. Try again in a moment.",
        )
    }

    /// The keys of the cluster that would know the caller cannot be read.
    #[must_use]
    pub const fn cluster_unavailable() -> Self {
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            "cluster_unavailable",
            5,
            "The keys of the caller's Kubernetes cluster cannot be read. Try again in a moment.",
        )
    }

    /// The directory that would know the caller does not answer.
    #[must_use]
    pub const fn directory_unavailable() -> Self {
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            "directory_unavailable",
            5,
            "The directory of the broker's machine that knows the caller does not answer. Try again in a moment.",
        )
    }

    const fn later(status: StatusCode, code: &'static str, seconds: u64, detail: &'static str) -> Self {
        let retry_after = Some(Duration::from_secs(seconds));
        Self { retry_after, ..Self::new(status, code, "retry", detail) }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::BytesRejection(rejection) => rejection.into(),
            _ => Self::invalid_request(),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::request_too_large()
        } else {
            Self::request_incomplete()
        }
    }
}
