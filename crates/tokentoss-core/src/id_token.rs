//! The claims of the ID token (OpenID Connect Core 3.1.3.7).
//!
//! The token came straight from the token endpoint over TLS, so its signature is left to the
//! kernel, which verifies it against the provider's keys before anything is kept.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base64url;
use crate::client::Client;
use crate::error::{Error, ErrorCode};
use crate::json::{Json, Object};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::token_endpoint::TokenResponse;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;
/// An ID token that was just made but is this old, in seconds, tells of a wrong clock.
const FRESHNESS: u64 = 600;
/// How old an ID token without a nonce may be, in seconds: as old as a user code may have been entered.
const AGE_WITHOUT_NONCE: u64 = 900;
/// The longest subject identifier, in characters (OpenID Connect Core section 2).
const SUBJECT_LIMIT: usize = 255;

struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Json>,
    azp: Option<Json>,
    exp: Option<Json>,
    iat: Option<Json>,
    nbf: Option<Json>,
    nonce: Option<Secret>,
    at_hash: Option<String>,
    hd: Option<Json>,
}

/// Tokens whose ID token was checked; only [`check_claims`] makes them, and only they can be put into an envelope.
#[derive(Debug)]
pub struct VerifiedTokens(TokenResponse);

/// Who an ID token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's identifier of the user.
    pub subject: String,
    /// The e-mail address, for display.
    pub email: Option<String>,
    /// When the ID token ends.
    pub expires_at: Timestamp,
}

impl VerifiedTokens {
    /// Who signed in.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        Identity::of(self.0.id_token.as_ref()?)
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenResponse {
        &self.0
    }
}

/// Checks every claim of the ID token that can be checked without the provider's keys. Without a `nonce`, in a grant that has
/// none, an ID token that has one was made for another sign-in; what ties it to this one instead is that it is new.
///
/// # Errors
/// `id_token_missing`, an `id_token_…` code for the first claim that is wrong, `hosted_domain_mismatch`, or
/// `clock_skew` when the token is fresh but the clock says otherwise.
pub fn check_claims(
    tokens: TokenResponse,
    client: &Client,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<VerifiedTokens, Error> {
    let id_token = tokens.id_token.as_ref().ok_or(ErrorCode::IdTokenMissing)?;
    let (claims, algorithm) = Claims::of(id_token, client)?;
    claims.check_parties(client)?;
    let nonces_match = match (&claims.nonce, nonce) {
        (Some(given), Some(nonce)) => given.matches(nonce),
        (given, nonce) => given.is_none() && nonce.is_none(),
    };
    if !nonces_match {
        return Err(ErrorCode::IdTokenNonceMismatch.into());
    }
    claims.check_times(now)?;
    if nonce.is_none() {
        claims.check_novelty(now)?;
    }
    claims.check_access_token_hash(&tokens.access_token, &algorithm)?;
    claims.check_hosted_domain(client.hosted_domain())?;
    Ok(VerifiedTokens(tokens))
}

/// Checks the ID token of a renewal, which came straight from the token endpoint, and says whom it is about; that must be who
/// signed in (OpenID Connect Core section 12.2). It may have the nonce of the sign-in, which nobody keeps that long.
///
/// # Errors
/// An `id_token_…` code for the first claim that is wrong, or `clock_skew`.
pub fn check_renewed(id_token: &Secret, client: &Client, now: Timestamp) -> Result<Identity, Error> {
    let (claims, _) = Claims::of(id_token, client)?;
    claims.check_parties(client)?;
    claims.check_times(now)?;
    Identity::of(id_token).ok_or_else(|| ErrorCode::IdTokenMalformed.into())
}

impl Identity {
    /// Reads a token that was checked.
    fn of(id_token: &Secret) -> Option<Self> {
        let mut claims = decode(id_token.expose().split('.').nth(1)?).ok()?;
        let expires_at = claims.take("exp").as_ref().and_then(Json::as_seconds)?;
        Some(Self {
            subject: claims.text("sub")?,
            email: claims.text("email").filter(|email| !email.is_empty()),
            expires_at: Timestamp::from_millis(expires_at.saturating_mul(1000)),
        })
    }
}

fn decode(part: &str) -> Result<Object, Error> {
    let json = base64url::decode(part).and_then(|json| String::from_utf8(json).ok());
    json.and_then(|json| Object::read(&json).ok()).ok_or_else(|| ErrorCode::IdTokenMalformed.into())
}

impl Claims {
    /// The claims of a token, and the algorithm of its signature, which is one that is accepted.
    fn of(id_token: &Secret, client: &Client) -> Result<(Self, String), Error> {
        let mut parts = id_token.expose().split('.');
        let (Some(header), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ErrorCode::IdTokenMalformed.into());
        };
        let malformed = |_| Error::from(ErrorCode::IdTokenMalformed);
        let mut header = decode(header)?;
        if header.has("crit") {
            // An extension that must be understood, and none is (RFC 7515 section 4.1.11).
            return Err(ErrorCode::IdTokenMalformed.into());
        }
        let algorithm = header.required_text("alg");
        let mut object = decode(claims)?;
        let claims = Self::read(&mut object);
        header.check().and(object.check()).map_err(malformed)?;
        if !client.provider().accepts_algorithm(&algorithm) {
            return Err(Error::about(ErrorCode::IdTokenAlgorithmRefused, &algorithm));
        }
        Ok((claims, algorithm))
    }

    fn read(claims: &mut Object) -> Self {
        Self {
            iss: claims.text("iss"),
            sub: claims.text("sub"),
            aud: claims.take("aud"),
            azp: claims.take("azp"),
            exp: claims.take("exp"),
            iat: claims.take("iat"),
            nbf: claims.take("nbf"),
            nonce: claims.secret("nonce"),
            at_hash: claims.text("at_hash"),
            hd: claims.take("hd"),
        }
    }

    fn check_parties(&self, client: &Client) -> Result<(), Error> {
        let client_id = client.client_id();
        match self.iss.as_deref() {
            Some(issuer) if issuer == client.provider().issuer() => {}
            other => return Err(Error::about(ErrorCode::IdTokenIssuerMismatch, other.unwrap_or_default())),
        }
        let subject = self.sub.as_deref().unwrap_or_default();
        if subject.is_empty() || subject.chars().nth(SUBJECT_LIMIT).is_some() {
            return Err(ErrorCode::IdTokenSubjectMissing.into());
        }
        // No other audience is trusted, so a second one is refused even with the right azp.
        let audiences: Vec<&Json> = match &self.aud {
            Some(Json::List(many)) => many.iter().collect(),
            Some(one) => Vec::from([one]),
            None => Vec::new(),
        };
        if audiences.is_empty() || audiences.iter().any(|audience| audience.as_text() != Some(client_id)) {
            return Err(ErrorCode::IdTokenAudienceMismatch.into());
        }
        match &self.azp {
            Some(party) if party.as_text() == Some(client_id) => Ok(()),
            None if audiences.len() == 1 => Ok(()),
            _ => Err(ErrorCode::IdTokenAuthorizedPartyMismatch.into()),
        }
    }

    fn check_times(&self, now: Timestamp) -> Result<(), Error> {
        let issued_at =
            self.iat.as_ref().and_then(Json::as_seconds).ok_or(ErrorCode::IdTokenIssuedAtInvalid)?;
        let expires_at = self.exp.as_ref().and_then(Json::as_seconds).ok_or(ErrorCode::IdTokenExpired)?;
        let now = now.as_secs();
        let not_before = match &self.nbf {
            Some(time) => time.as_seconds().ok_or(ErrorCode::IdTokenMalformed)?,
            None => 0,
        };
        let begins_at = issued_at.max(not_before);
        if begins_at > now.saturating_add(LEEWAY) {
            return Err(clock_skew(begins_at - now));
        }
        if expires_at.saturating_add(LEEWAY) <= now {
            let age = now - issued_at.min(now);
            // It was made for this sign-in a moment ago: if it claims to be old, a clock is wrong.
            let fresh = age <= FRESHNESS || expires_at <= issued_at;
            return Err(if fresh { ErrorCode::IdTokenExpired.into() } else { clock_skew(age) });
        }
        Ok(())
    }

    /// What a token without a nonce must show.
    fn check_novelty(&self, now: Timestamp) -> Result<(), Error> {
        let issued_at = self.iat.as_ref().and_then(Json::as_seconds).unwrap_or_default();
        let age = now.as_secs().saturating_sub(issued_at);
        if age > AGE_WITHOUT_NONCE + LEEWAY {
            return Err(clock_skew(age));
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
            Some(domain) if self.hd.as_ref().and_then(Json::as_text) != Some(domain) => {
                Err(Error::about(ErrorCode::HostedDomainMismatch, domain))
            }
            _ => Ok(()),
        }
    }
}

fn clock_skew(seconds: u64) -> Error {
    let apart = Duration::from_secs(seconds);
    let (count, unit) = match apart.as_secs() {
        0..120 => (apart.as_secs(), "seconds"),
        120..7200 => (apart.as_secs() / 60, "minutes"),
        7200..172_800 => (apart.as_secs() / 3600, "hours"),
        _ => (apart.as_secs() / 86400, "days"),
    };
    let mut difference = String::from(itoa::Buffer::new().format(count));
    difference.extend([" ", unit]);
    Error::about(ErrorCode::ClockSkew, &difference)
}
