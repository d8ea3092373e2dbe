//! Every problem that there is, for whoever compares them with what is written of them.

use tokentoss_custody::{Problem as Kind, Refusal};

use super::Problem;
use crate::callers::AuthError;

/// What the machine refuses with.
const REFUSALS: [Kind; 11] = [
    Kind::NotConnected,
    Kind::ReauthRequired,
    Kind::ScopeMissing,
    Kind::MinTtlUnreachable,
    Kind::IdTokenMissing,
    Kind::ClientMisconfigured,
    Kind::KeyUnavailable,
    Kind::RateLimited,
    Kind::ProviderMisbehaved,
    Kind::ProviderUnavailable,
    Kind::RefreshBusy,
];

impl Problem {
    /// One of each kind.
    #[must_use]
    pub fn every() -> Vec<Self> {
        let refused = |problem| Self::from(Refusal { problem, cause: None, retry_after: None });
        let mut every = vec![
            Self::invalid_request(),
            Self::request_incomplete(),
            Self::unknown_route(),
            Self::not_found(),
            Self::method_not_allowed(),
            Self::request_too_large(),
            Self::account_ambiguous(),
            Self::audience_forbidden(),
            Self::target_forbidden(),
            Self::id_token_missing(),
            Self::too_many_calls(7),
            Self::target_misbehaved(),
            Self::target_unavailable(),
            Self::storage_unavailable(),
            Self::too_many_listeners(),
            Self::way_unavailable(),
            Self::origin_forbidden(),
            Self::scope_forbidden(),
            Self::authorization_unknown(),
            Self::authorization_expired(),
            Self::confirmation_wrong(),
            Self::state_mismatch(),
        ];
        let turned = [
            AuthError::Unauthenticated,
            AuthError::Forbidden,
            AuthError::Malformed,
            AuthError::HubUnavailable,
            AuthError::ClusterUnavailable,
            AuthError::DirectoryUnavailable,
        ];
        every.extend(turned.map(Self::from));
        every.extend(REFUSALS.map(refused));
        every
    }
}
