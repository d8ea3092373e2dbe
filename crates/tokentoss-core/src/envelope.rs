//! The text inside the sealed envelope: finished tokens on their way to the kernel, or an authorization code that it exchanges itself.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::authorization::AuthorizationRequest;
use crate::authorization_response::VerifiedCode;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::id_token::VerifiedTokens;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::timestamp::Timestamp;

const VERSION: u32 = 2;

#[derive(Serialize)]
struct Envelope<'a> {
    version: u32,
    ticket: &'a str,
    salt: Option<&'a str>,
    proof: Option<&'a str>,
    received_at: u64,
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    id_token: Option<&'a str>,
    expires_in: Option<u64>,
    scopes: &'a [String],
}

#[derive(Serialize)]
struct CodeEnvelope<'a> {
    version: u32,
    ticket: &'a str,
    salt: &'a str,
    proof: Option<&'a str>,
    received_at: u64,
    /// The authorization code, or a deposit in its place.
    code: &'a str,
    code_verifier: &'a str,
    redirect_uri: &'a str,
}

/// Writes the tokens as JSON, to be sealed at once; with the salt of their nonce, where they have one, and the proof of the
/// attempt's registration, without which the kernel takes the envelope over the comm only.
///
/// # Errors
/// `sealing_failed`, should they not be writable.
pub(crate) fn write(
    ticket: &Ticket,
    salt: Option<&str>,
    proof: Option<&Secret>,
    tokens: &VerifiedTokens,
    now: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let tokens = tokens.tokens();
    let envelope = Envelope {
        version: VERSION,
        ticket: ticket.id(),
        salt,
        proof: proof.map(Secret::expose),
        received_at: now.as_secs(),
        access_token: tokens.access_token.expose(),
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose()),
        id_token: tokens.id_token.as_ref().map(|token| token.expose()),
        expires_in: tokens.expires_in,
        scopes: &tokens.scopes,
    };
    json(&envelope)
}

/// Writes the authorization code as JSON, with all that its exchange needs, to be sealed at once. Where it goes to a broker, the
/// kernel gets it sealed once more.
///
/// # Errors
/// `sealing_failed`, should it not be writable.
pub(crate) fn write_code(
    ticket: &Ticket,
    request: &AuthorizationRequest,
    proof: Option<&Secret>,
    code: &VerifiedCode,
    now: Timestamp,
    rng: &mut dyn Entropy,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = ticket.deposit_key();
    let kernels = proof.map(Secret::expose);
    let envelope = CodeEnvelope {
        version: VERSION,
        ticket: ticket.id(),
        salt: request.salt(),
        // What only the kernel may know stays out of what only the broker can read.
        proof: if key.is_some() { None } else { kernels },
        received_at: now.as_secs(),
        code: code.expose(),
        code_verifier: request.verifier().expose(),
        redirect_uri: request.redirect_uri().as_str(),
    };
    let text = json(&envelope)?;
    let Some(key) = key else { return Ok(text) };
    let sealed = key.seal(Purpose::Deposit, ticket.binding(), &text, rng)?;
    json(&CodeEnvelope { code: &sealed, code_verifier: "", proof: kernels, ..envelope })
}

#[inline(never)]
fn json(envelope: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Error> {
    serde_json::to_vec(envelope).map(Zeroizing::new).map_err(|_| ErrorCode::SealingFailed.into())
}
