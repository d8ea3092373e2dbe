//! Refusals, with a stable code and the suggested action.

use std::time::Duration;

/// The stable code of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The grant was ended by the user or an administrator.
    NotConnected,
    /// The user must sign in again.
    ReauthRequired,
    /// The sign-in, or the provider, does not give these scopes or this audience.
    ScopeMissing,
    /// No token of this provider lives as long as the caller asks for.
    MinTtlUnreachable,
    /// The provider gives no ID token with a renewal, or none at all.
    IdTokenMissing,
    /// The provider does not accept the client.
    ClientMisconfigured,
    /// A sealed cell cannot be opened.
    KeyUnavailable,
    /// The caller rejected a token that is too new to be renewed again.
    RateLimited,
    /// The provider answers with something that is not an answer.
    ProviderMisbehaved,
    /// The provider cannot be reached or is overloaded.
    ProviderUnavailable,
    /// Another process is still refreshing.
    RefreshBusy,
}

/// The suggested action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A new sign-in.
    SignIn,
    /// An administrator.
    AskAdmin,
    /// The same request again, later.
    Retry,
    /// Another request or another configuration.
    FixConfig,
}

impl Problem {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::ReauthRequired => "reauth_required",
            Self::ScopeMissing => "scope_missing",
            Self::MinTtlUnreachable => "min_ttl_unreachable",
            Self::IdTokenMissing => "id_token_missing",
            Self::ClientMisconfigured => "client_misconfigured",
            Self::KeyUnavailable => "key_unavailable",
            Self::RateLimited => "rate_limited",
            Self::ProviderMisbehaved => "provider_misbehaved",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::RefreshBusy => "refresh_busy",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MinTtlUnreachable => 400,
            Self::NotConnected => 404,
            Self::ReauthRequired | Self::ScopeMissing | Self::IdTokenMissing => 409,
            Self::RateLimited => 429,
            Self::ClientMisconfigured | Self::KeyUnavailable => 500,
            Self::ProviderMisbehaved => 502,
            Self::ProviderUnavailable | Self::RefreshBusy => 503,
        }
    }

    /// The suggested action.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::NotConnected | Self::ReauthRequired | Self::ScopeMissing | Self::IdTokenMissing => {
                Action::SignIn
            }
            Self::MinTtlUnreachable => Action::FixConfig,
            Self::ClientMisconfigured | Self::KeyUnavailable => Action::AskAdmin,
            Self::RateLimited | Self::ProviderMisbehaved | Self::ProviderUnavailable | Self::RefreshBusy => {
                Action::Retry
            }
        }
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The code.
    pub problem: Problem,
    /// The cause in the status, where there is one.
    pub cause: Option<&'static str>,
    /// After how long the same request may succeed; some exactly where the action is [`Action::Retry`].
    pub retry_after: Option<Duration>,
}
