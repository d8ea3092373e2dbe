//! The outcome of an attempt to refresh.

use std::time::Duration;

use crate::grant::IdToken;
use crate::handle::Handle;
use crate::scopes::Scopes;
use crate::status::ExpiredCause;

/// The classified answer of a provider, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New tokens, already sealed.
    Renewed(Renewed),
    /// The grant is over: dead (`invalid_grant`) or by policy (`interaction_required`, …).
    Ended(ExpiredCause),
    /// The provider does not accept the client or its secret (`invalid_client`).
    InvalidClient,
    /// The client may not do this (`unauthorized_client`, `unsupported_grant_type`).
    UnauthorizedClient,
    /// The provider does not give these scopes or this audience (`invalid_scope`, `invalid_target`).
    ScopeRefused,
    /// The provider issued no tokens, for a reason that does not concern the grant.
    Failed {
        /// The failure.
        failure: Failure,
        /// The `Retry-After` of the provider.
        retry_after: Option<Duration>,
    },
    /// An unusable answer with a new refresh token, which must not be lost.
    RotatedOnly(Handle),
    /// The sealed refresh token or client secret is missing or cannot be opened; nothing was sent.
    CellUnreadable,
}

/// The tokens of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The access token.
    pub access: Handle,
    /// The refresh token, if the answer has one. It may be the old one again.
    pub refresh: Option<Handle>,
    /// The verified ID token.
    pub id_token: Option<IdToken>,
    /// The lifetime of the access token; zero counts as unknown.
    pub expires_in: Option<Duration>,
    /// The scopes; those asked for if the answer names none (RFC 6749 section 5.1).
    pub scopes: Option<Scopes>,
}

/// A failure that leaves the status as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The request was not sent: no connection, no DNS answer, or no time.
    NotSent,
    /// The request was sent, and no complete answer came back.
    AnswerLost,
    /// The provider is overloaded: 408, 425, 429, 503, `temporarily_unavailable`.
    Overloaded,
    /// Any other 5xx, or `server_error`.
    ServerFailed,
    /// A success that cannot be read: HTML, no JSON, too large, no access token.
    Unreadable,
    /// A refusal with an unknown error code, or a redirect.
    UnknownRefusal,
    /// The provider calls the request malformed (`invalid_request`); of one attempt after another, it means
    /// that it has forgotten the grant.
    RequestRefused,
    /// An access token that had already ended when it arrived.
    DeadOnArrival,
}

impl Failure {
    /// Whether the provider may have consumed the refresh token.
    #[must_use]
    pub const fn may_have_consumed_token(self) -> bool {
        matches!(self, Self::AnswerLost | Self::ServerFailed | Self::Unreadable)
    }

    /// Whether the provider violated the protocol, and is not just unavailable.
    #[must_use]
    pub const fn is_misbehaviour(self) -> bool {
        matches!(self, Self::Unreadable | Self::UnknownRefusal | Self::RequestRefused | Self::DeadOnArrival)
    }

    /// Every failure.
    pub const ALL: [Self; 8] = [
        Self::NotSent,
        Self::AnswerLost,
        Self::Overloaded,
        Self::ServerFailed,
        Self::Unreadable,
        Self::UnknownRefusal,
        Self::RequestRefused,
        Self::DeadOnArrival,
    ];

    /// The name in the database and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::AnswerLost => "answer_lost",
            Self::Overloaded => "overloaded",
            Self::ServerFailed => "server_failed",
            Self::Unreadable => "unreadable",
            Self::UnknownRefusal => "unknown_refusal",
            Self::RequestRefused => "request_refused",
            Self::DeadOnArrival => "dead_on_arrival",
        }
    }

    /// The failure of this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }
}

impl Outcome {
    /// A failure without `Retry-After`.
    #[must_use]
    pub const fn failed(failure: Failure) -> Self {
        Self::Failed { failure, retry_after: None }
    }
}
