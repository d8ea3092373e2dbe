//! Problem details (RFC 9457), with a stable code and what helps.

mod calls;
mod every;
mod sign_in;

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokentoss_custody::{Action, Refusal};

use crate::callers::AuthError;
use crate::refresh::CustodianError;
use crate::trace::TraceId;

/// Why a request was not answered as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    cause: Option<&'static str>,
    action: &'static str,
    retry_after: Option<Duration>,
    detail: &'static str,
}

#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

/// Where the codes are explained.
const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main/docs/troubleshooting.md#");

impl Problem {
    const fn new(status: StatusCode, code: &'static str, action: &'static str, detail: &'static str) -> Self {
        Self { status, code, cause: None, action, retry_after: None, detail }
    }

    /// The request is not one of this interface.
    #[must_use]
    pub const fn invalid_request() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "fix_config",
            "The request is not one of this interface. Compare its members with the reference.",
        )
    }

    /// There is nothing of this name for this caller.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_connected", "sign_in", "No account is connected here. Sign in.")
    }

    /// There is no such route.
    #[must_use]
    pub const fn unknown_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "route_unknown",
            "fix_config",
            "There is no such route. Check the address.",
        )
    }

    /// The route takes another method.
    #[must_use]
    pub const fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "fix_config",
            "This route takes another method. Compare the request with the reference.",
        )
    }

    /// The user has too many listeners.
    #[must_use]
    pub const fn too_many_listeners() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(15)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "retry",
                "This user has too many listeners to news. Close some of them.",
            )
        }
    }

    /// Sealed data cannot be opened.
    #[must_use]
    pub fn key_unavailable() -> Self {
        CustodianError::from(crate::keys::Unreadable).into()
    }

    /// A row holds what this version cannot read: nothing that a wait would help.
    fn row_unreadable() -> Self {
        Self { cause: Some("row_unreadable"), ..Self::key_unavailable() }
    }

    /// The sentence.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.detail
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Writes a line of the log that the request's trace leads to.
    pub(crate) fn log(&self) {
        let (status, code, cause) = (self.status.as_u16(), self.code, self.cause);
        if self.status.is_server_error() {
            tracing::warn!(status, code, cause, "answered with a problem");
        } else {
            // Anybody can cause those.
            tracing::debug!(status, code, cause, "answered with a problem");
        }
    }

    pub(crate) fn storage_unavailable() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                "retry",
                "The broker's database does not answer. Try again in a moment.",
            )
        }
    }

    fn account_ambiguous() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "account_ambiguous",
            "fix_config",
            "Several accounts are connected, and the request names none of them. Name one as account.",
        )
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                "caller_unauthenticated",
                "fix_config",
                "The caller's key is missing or unknown. Check the key.",
            ),
            AuthError::Forbidden => Self::new(
                StatusCode::FORBIDDEN,
                "caller_forbidden",
                "ask_admin",
                "This caller may not ask for this tenant or provider. Ask the broker's administrator.",
            ),
            AuthError::HubUnavailable => Self::hub_unavailable(),
            AuthError::ClusterUnavailable => Self::cluster_unavailable(),
            AuthError::DirectoryUnavailable => Self::directory_unavailable(),
            AuthError::Malformed => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "fix_config",
                "The headers that name tenant and user are missing, repeated or malformed, or stand where none may.",
            ),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        use tokentoss_custody::Problem as Kind;
        let detail = match refusal.problem {
            Kind::NotConnected => "No account is connected here. Sign in.",
            Kind::ReauthRequired => "The provider gives no more tokens for this account. Sign in again.",
            Kind::ScopeMissing => "The sign-in does not reach this far. Sign in again with these scopes.",
            Kind::MinTtlUnreachable => {
                "No token of this provider lives that long. Ask for a shorter min_ttl."
            }
            Kind::IdTokenMissing => "The provider gives no ID token for this sign-in. Sign in again.",
            Kind::ClientMisconfigured => {
                "The provider does not accept the client. Ask the broker's administrator."
            }
            Kind::KeyUnavailable => "Stored tokens cannot be opened. Ask the broker's administrator.",
            Kind::RateLimited => "The token was renewed a moment ago. Try again later.",
            Kind::ProviderMisbehaved => {
                "The provider answers with something that is not an answer. Try again later."
            }
            Kind::ProviderUnavailable => "The provider cannot be reached. Try again later.",
            Kind::RefreshBusy => "The token is being renewed. Try again in a moment.",
        };
        let action = match refusal.problem.action() {
            Action::SignIn => "sign_in",
            Action::AskAdmin => "ask_admin",
            Action::Retry => "retry",
            Action::FixConfig => "fix_config",
        };
        let status =
            StatusCode::from_u16(refusal.problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            cause: refusal.cause,
            retry_after: refusal.retry_after,
            ..Self::new(status, refusal.problem.code(), action, detail)
        }
    }
}

impl From<CustodianError> for Problem {
    fn from(failed: CustodianError) -> Self {
        match failed {
            CustodianError::Refused(refusal) => refusal.into(),
            CustodianError::NotConnected => Self::not_found(),
            CustodianError::AudienceForbidden => Self::audience_forbidden(),
            CustodianError::Ambiguous => Self::account_ambiguous(),
            CustodianError::Unreadable(_) => Self::from(Refusal {
                problem: tokentoss_custody::Problem::KeyUnavailable,
                cause: None,
                retry_after: None,
            }),
            CustodianError::Store(error) if error.is_unreadable_row() => {
                tracing::error!(%error, "a row cannot be read, and the same request will fail again");
                Self::row_unreadable()
            }
            CustodianError::Store(error) => {
                // The answer does not say it, and nobody else knows it.
                tracing::warn!(%error, "the database failed a request");
                Self::storage_unavailable()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        // Whole seconds, and never too early.
        let seconds = self.retry_after.map(|pause| pause.as_secs() + u64::from(pause.subsec_nanos() > 0));
        let body = Body {
            kind: format!("{PAGE}{}", self.code),
            title: self.detail,
            status: self.status.as_u16(),
            code: self.code,
            cause: self.cause,
            action: self.action,
            retry_after: seconds,
            trace_id: TraceId::current().map(|trace| trace.to_string()),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
