//! What the simulated provider's endpoints have in common.

/// The client that is registered with the provider.
pub const CLIENT_ID: &str = "client.apps.example";

/// How an endpoint answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With tokens for a valid request, with `invalid_grant` otherwise.
    Honest,
    /// With this, whatever was asked.
    Raw(u16, String),
    /// The connection fails.
    Unreachable,
    /// Never.
    Silent,
}
