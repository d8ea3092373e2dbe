//! The claims of the ID token (OpenID Connect Core 3.1.3.7).
//!
//! The token came straight from the token endpoint over TLS, so its signature is left to the
//! kernel, which verifies it against the provider's keys before anything is kept.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base64url;
use crate::error::{Error, ErrorCode};
use crate::json::read_object;
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::timestamp::Timestamp;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;
/// An ID token that was just made but is this old, in seconds, tells of a wrong clock.
const FRESHNESS: u64 = 600;
/// The longest subject identifier, in characters (OpenID Connect Core section 2).
const SUBJECT_LIMIT: usize = 255;

#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Value>,
    azp: Option<Value>,
    exp: Option<Value>,
    iat: Option<Value>,
    nonce: Option<Secret>,
    at_hash: Option<String>,
    hd: Option<Value>,
}

/// Checks every claim of `id_token` that can be checked without the provider's keys.
///
/// # Errors
/// An `id_token_…` code for the first claim that is wrong, `hosted_domain_mismatch`, or
/// `clock_skew` when the token is fresh but the clock says otherwise.
pub fn check_claims(
    id_token: &Secret,
    ticket: &Ticket,
    nonce: &str,
    access_token: &Secret,
    now: Timestamp,
) -> Result<(), Error> {
    let mut parts = id_token.expose().split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ErrorCode::IdTokenMalformed.into());
    };
    let header: Header = decode(header)?;
    let claims: Claims = decode(claims)?;

    let algorithm = header.alg.ok_or(ErrorCode::IdTokenMalformed)?;
    if !ticket.provider().accepts_algorithm(&algorithm) {
        return Err(Error::about(ErrorCode::IdTokenAlgorithmRefused, &algorithm));
    }
    claims.check_parties(ticket)?;
    if !claims.nonce.as_ref().is_some_and(|given| given.matches(nonce)) {
        return Err(ErrorCode::IdTokenNonceMismatch.into());
    }
    claims.check_times(now)?;
    claims.check_access_token_hash(access_token, &algorithm)?;
    claims.check_hosted_domain(ticket.hosted_domain())
}

fn decode<'de, T: Deserialize<'de>>(part: &str) -> Result<T, Error> {
    let malformed = || Error::from(ErrorCode::IdTokenMalformed);
    let json = base64url::decode(part).ok_or_else(malformed)?;
    let text = core::str::from_utf8(&json).map_err(|_| malformed())?;
    let claims: Map<String, Value> = read_object(text).map_err(|_| malformed())?;
    T::deserialize(Value::Object(claims)).map_err(|_| malformed())
}

impl Claims {
    fn check_parties(&self, ticket: &Ticket) -> Result<(), Error> {
        let client_id = ticket.client_id();
        match self.iss.as_deref() {
            Some(issuer) if issuer == ticket.provider().issuer() => {}
            other => return Err(Error::about(ErrorCode::IdTokenIssuerMismatch, other.unwrap_or_default())),
        }
        let subject = self.sub.as_deref().unwrap_or_default();
        if subject.is_empty() || subject.chars().count() > SUBJECT_LIMIT {
            return Err(ErrorCode::IdTokenSubjectMissing.into());
        }
        // No other audience is trusted, so a second one is refused even with the right azp.
        let audiences: Vec<&Value> = match &self.aud {
            Some(Value::Array(many)) => many.iter().collect(),
            Some(one) => Vec::from([one]),
            None => Vec::new(),
        };
        if audiences.is_empty() || audiences.iter().any(|audience| audience.as_str() != Some(client_id)) {
            return Err(ErrorCode::IdTokenAudienceMismatch.into());
        }
        match &self.azp {
            Some(party) if party.as_str() != Some(client_id) => {
                Err(ErrorCode::IdTokenAuthorizedPartyMismatch.into())
            }
            _ => Ok(()),
        }
    }

    fn check_times(&self, now: Timestamp) -> Result<(), Error> {
        let issued_at = seconds(self.iat.as_ref()).ok_or(ErrorCode::IdTokenIssuedAtInvalid)?;
        let expires_at = seconds(self.exp.as_ref()).ok_or(ErrorCode::IdTokenExpired)?;
        let now = now.as_secs();
        if issued_at > now.saturating_add(LEEWAY) {
            return Err(clock_skew(issued_at - now));
        }
        if expires_at.saturating_add(LEEWAY) <= now {
            let age = now - issued_at.min(now);
            // It was made for this sign-in a moment ago: if it claims to be old, a clock is wrong.
            let fresh = age <= FRESHNESS || expires_at <= issued_at;
            return Err(if fresh { ErrorCode::IdTokenExpired.into() } else { clock_skew(age) });
        }
        Ok(())
    }

    fn check_access_token_hash(&self, access_token: &Secret, algorithm: &str) -> Result<(), Error> {
        // Left-most half of SHA-256 (section 3.1.3.8); other hashes than SHA-256 are optional to check.
        let Some(given) = self.at_hash.as_deref().filter(|_| algorithm.ends_with("256")) else {
            return Ok(());
        };
        let digest = Sha256::digest(access_token.expose());
        let expected = base64url::encode(digest.get(..16).unwrap_or_default());
        if expected.as_bytes().ct_eq(given.as_bytes()).into() {
            Ok(())
        } else {
            Err(ErrorCode::IdTokenAccessTokenHashMismatch.into())
        }
    }

    fn check_hosted_domain(&self, required: Option<&str>) -> Result<(), Error> {
        match required {
            Some(domain) if self.hd.as_ref().and_then(Value::as_str) != Some(domain) => {
                Err(Error::about(ErrorCode::HostedDomainMismatch, domain))
            }
            _ => Ok(()),
        }
    }
}

/// A NumericDate: a JSON number, never a string (RFC 7519 section 2).
fn seconds(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    number.as_u64().or_else(|| {
        let seconds = number.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked first"
        )]
        (0.0..1e15).contains(&seconds).then_some(seconds as u64)
    })
}

fn clock_skew(seconds: u64) -> Error {
    let apart = Duration::from_secs(seconds);
    let (count, unit) = match apart.as_secs() {
        0..120 => (apart.as_secs(), "seconds"),
        120..7200 => (apart.as_secs() / 60, "minutes"),
        7200..172_800 => (apart.as_secs() / 3600, "hours"),
        _ => (apart.as_secs() / 86400, "days"),
    };
    Error::about(ErrorCode::ClockSkew, &alloc::format!("{count} {unit}"))
}
