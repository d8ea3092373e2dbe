//! The one attempt that all inputs are tried on.

use tokentoss_core::sealing::KeyPair;
use tokentoss_core::{Ticket, Timestamp};

pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const CLIENT_ID: &str = "client-1";
pub(crate) const STATE: &str = "state-of-this-attempt";
pub(crate) const NONCE: &str = "nonce-of-this-attempt";
pub(crate) const ACCESS_TOKEN: &str = "access-token-1";
pub(crate) const HOSTED_DOMAIN: &str = "example.com";
/// The origin of the notebook page.
pub(crate) const PAGE: &str = "https://hub.example";
/// The clock, in seconds since the Unix epoch.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The clock as the core takes it.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1000)
}

/// The kernel's key pair, always the same.
pub(crate) fn kernel_keys() -> KeyPair {
    KeyPair::from_private_key(&[7; 32]).expect("a private key")
}

/// The text of the ticket, by what the bits of `flags` turn on: 1 the promise of `iss` in every answer, 2 a hosted
/// domain, 4 elliptic curves instead of RSA.
pub(crate) fn ticket_text(flags: u8) -> String {
    let on = |bit: u8| flags & bit != 0;
    serde_json::json!({
        "version": 2,
        "id": "ticket-1",
        "nonce": "nonce-of-the-ticket",
        "public_key": kernel_keys().public().to_base64url(),
        "client_id": CLIENT_ID,
        "client_secret_sealed": false,
        "scopes": ["openid", "email"],
        "redirect_uri": "http://127.0.0.1:4711/callback",
        "provider": {
            "issuer": ISSUER,
            "authorization_endpoint": "https://op.example/authorize",
            "token_endpoint": "https://op.example/token",
            "iss_parameter_supported": on(1),
            "authorization_params": {},
            "id_token_signing_algs": if on(4) { ["ES256", "ES512"] } else { ["RS256", "RS512"] },
        },
        "hosted_domain": on(2).then_some(HOSTED_DOMAIN),
        "login_hint": null,
    })
    .to_string()
}

/// The ticket, by the same flags.
pub(crate) fn ticket(flags: u8) -> Ticket {
    Ticket::from_json(&ticket_text(flags), PAGE).expect("a ticket")
}
