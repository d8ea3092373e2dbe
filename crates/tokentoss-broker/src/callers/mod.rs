//! Who asks. Whoever is unknown gets one answer, whatever was wrong.

mod internal_key;

pub use internal_key::InternalKeys;

/// Somebody whose requests are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's name in the configuration.
    pub name: String,
    /// The tenant of the request.
    pub tenant: String,
    /// The user of the request, within the tenant.
    pub user: String,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The key is missing or unknown.
    Unauthenticated,
    /// The key is known, but not for this tenant.
    Forbidden,
    /// The headers that name tenant and user are missing or malformed.
    Malformed,
}
