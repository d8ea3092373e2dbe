//! The answer, and what a refusal says about the grant.

use std::time::Duration;

use serde_json::{Map, Value};
use tokentoss_core::Secret;

use crate::outcome::{Failure, Outcome};
use crate::scopes::Scopes;
use crate::status::ExpiredCause;
use crate::terms::LONGEST_LIFE;

/// The longest answer that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The longest token that is kept, in bytes.
const TOKEN_LIMIT: usize = 32 * 1024;

/// What the token endpoint answered.
#[derive(Debug)]
pub struct RefreshAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// The body, cut off behind [`BODY_LIMIT`] plus one byte.
    pub body: &'a Secret,
}

/// The tokens of an answer, to be sealed.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// The ID token, not yet checked.
    pub id_token: Option<Secret>,
    /// The life of the access token.
    pub expires_in: Option<Duration>,
    /// The scopes.
    pub scopes: Option<Scopes>,
}

/// An answer as it was read.
#[derive(Debug)]
pub enum Reading {
    /// New tokens: seal them and settle with [`Outcome::Renewed`].
    Tokens(Tokens),
    /// Only the refresh token can be used: seal it and settle with [`Outcome::RotatedOnly`].
    RotatedOnly(Secret),
    /// No tokens.
    Outcome(Outcome),
}

impl RefreshAnswer<'_> {
    /// Reads the answer.
    #[must_use]
    pub fn read(&self) -> Reading {
        let document = match serde_json::from_str(self.body.expose()) {
            Ok(Value::Object(document)) if self.body.expose().len() <= BODY_LIMIT => Some(document),
            _ => None,
        };
        let word = document.as_ref().and_then(|document| document.get("error"));
        let word = word.map(|word| word.as_str().unwrap_or_default());
        match (self.status, word, &document) {
            (_, Some("server_error"), _) => self.failed(Failure::ServerFailed),
            (_, Some("temporarily_unavailable"), _) => self.failed(Failure::Overloaded),
            // Whatever its body says, such an answer says nothing of the grant.
            (408 | 425 | 429 | 503, ..) => self.failed(Failure::Overloaded),
            (500.., ..) => self.failed(Failure::ServerFailed),
            (300..=399, ..) => self.failed(Failure::UnknownRefusal),
            // GitHub refuses with status 200.
            (_, Some(word), _) => self.refused(word),
            (200, None, Some(document)) => tokens(document),
            (200, None, None) => self.failed(Failure::Unreadable),
            _ => self.failed(Failure::UnknownRefusal),
        }
    }

    fn failed(&self, failure: Failure) -> Reading {
        let seconds = self.retry_after.and_then(|text| text.trim().parse().ok());
        Reading::Outcome(Outcome::Failed { failure, retry_after: seconds.map(Duration::from_secs) })
    }

    fn refused(&self, word: &str) -> Reading {
        Reading::Outcome(match word {
            "invalid_grant" | "bad_refresh_token" => Outcome::Ended(ExpiredCause::InvalidGrant),
            "interaction_required" | "account_selection_required" => {
                Outcome::Ended(ExpiredCause::InteractionRequired)
            }
            "consent_required" => Outcome::Ended(ExpiredCause::ConsentRequired),
            "login_required" => Outcome::Ended(ExpiredCause::LoginRequired),
            "access_denied" => Outcome::Ended(ExpiredCause::AccessDenied),
            "invalid_client" | "incorrect_client_credentials" => Outcome::InvalidClient,
            "unauthorized_client" | "unsupported_grant_type" => Outcome::UnauthorizedClient,
            "invalid_scope" | "invalid_target" => Outcome::ScopeRefused,
            _ => return self.failed(Failure::UnknownRefusal),
        })
    }
}

fn tokens(document: &Map<String, Value>) -> Reading {
    // A member of another type, or a token that could break a header, makes the answer unusable.
    let text = |name: &str| match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(()),
    };
    let token = |name: &str| match text(name)? {
        Some(text) if text.len() > TOKEN_LIMIT || !text.bytes().all(|b| b.is_ascii_graphic()) => Err(()),
        text => Ok(text.map(Secret::new)),
    };
    let is_bearer = matches!(text("token_type"), Ok(Some(kind)) if kind.eq_ignore_ascii_case("bearer"));
    match (token("access_token"), token("refresh_token"), token("id_token"), text("scope")) {
        (Ok(Some(access)), Ok(refresh), Ok(id_token), Ok(scope)) if is_bearer => Reading::Tokens(Tokens {
            access,
            refresh,
            id_token,
            expires_in: document.get("expires_in").and_then(lifetime),
            scopes: scope.map(|scope| Scopes::read(&scope)),
        }),
        (_, Ok(Some(refresh)), ..) => Reading::RotatedOnly(refresh),
        _ => Reading::Outcome(Outcome::failed(Failure::Unreadable)),
    }
}

/// `expires_in` as providers write it: a number, a float or a string of digits; anything else counts as unknown.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => f64::from(text.parse::<u32>().ok()?),
        _ => return None,
    };
    let seconds = if seconds.is_finite() { seconds.floor() } else { return None };
    (seconds >= 1.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST_LIFE.as_secs_f64())))
}
