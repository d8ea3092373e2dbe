//! The answer, and what a refusal says about the grant.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokentoss_core::{Secret, Timestamp};

use super::members::Members;
use crate::outcome::{Failure, Outcome};
use crate::parameters::MAX_LIFETIME;
use crate::scopes::Scopes;
use crate::status::ExpiredCause;

/// The longest answer that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The longest token that is kept, in bytes.
const TOKEN_LIMIT: usize = 32 * 1024;
/// The members of an answer with tokens.
const MEMBERS: [&str; 7] =
    ["access_token", "token_type", "refresh_token", "id_token", "expires_in", "scope", "error"];

/// What the token endpoint answered.
#[derive(Debug)]
pub struct RefreshAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
    pub retry_after: Option<&'a str>,
    /// When the answer came, from which such a date counts.
    pub received_at: Timestamp,
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
pub enum RefreshResult {
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
    pub fn read(&self) -> RefreshResult {
        let is_whole = self.body.expose().len() <= BODY_LIMIT;
        let document = is_whole.then(|| Members::read(self.body.expose())).flatten();
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
            (_, Some(word), Some(document)) => self.refused(word, document),
            (200, None, Some(document)) => tokens(document),
            (200, None, None) => self.failed(Failure::Unreadable),
            _ => self.failed(Failure::UnknownRefusal),
        }
    }

    fn failed(&self, failure: Failure) -> RefreshResult {
        RefreshResult::Outcome(Outcome::Failed {
            failure,
            retry_after: self.retry_after.and_then(|text| self.pause(text)),
        })
    }

    fn pause(&self, text: &str) -> Option<Duration> {
        let text = text.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(date.saturating_sub(Duration::from_millis(self.received_at.as_millis())))
    }

    fn refused(&self, word: &str, document: &Members) -> RefreshResult {
        RefreshResult::Outcome(match word {
            "invalid_grant" => Outcome::Ended(cause_of_end(document)),
            // GitHub's words name every cause that there may be.
            "bad_refresh_token" => Outcome::Ended(ExpiredCause::InvalidGrant),
            "invalid_request" => return self.failed(Failure::RequestRefused),
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

/// Why a grant ended. Providers say it in words; Google's and Box's are known.
fn cause_of_end(document: &Members) -> ExpiredCause {
    let text = |name| document.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let words = [text("error_subtype"), text("error_description")].join(" ");
    let says = |word: &str| words.contains(word);
    match () {
        () if says("rapt") => ExpiredCause::InvalidRapt,
        () if says("admin_policy_enforced") => ExpiredCause::AdminPolicyEnforced,
        () if says("expired") && !says("revoked") => ExpiredCause::GrantExpired,
        () if says("revoked") && !says("expired") => ExpiredCause::GrantRevoked,
        () => ExpiredCause::InvalidGrant,
    }
}

fn tokens(document: &Members) -> RefreshResult {
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
    // Twitch writes scopes as a list.
    let scope = match document.get("scope") {
        Some(Value::Array(list)) => list
            .iter()
            .map(|one| one.as_str().ok_or(()))
            .collect::<Result<Vec<_>, _>>()
            .map(|list| Some(list.join(" "))),
        _ => text("scope"),
    };
    // Nobody knows which one of two counts (RFC 6749 section 5.1).
    let is_plain = !document.repeat_any(&MEMBERS);
    let is_bearer = matches!(text("token_type"), Ok(Some(kind)) if kind.eq_ignore_ascii_case("bearer"));
    match (token("access_token"), token("refresh_token"), token("id_token"), scope) {
        (Ok(Some(access)), Ok(refresh), Ok(id_token), Ok(scope)) if is_bearer && is_plain => {
            RefreshResult::Tokens(Tokens {
                access,
                refresh,
                id_token,
                expires_in: document.get("expires_in").and_then(lifetime),
                scopes: scope.map(|scope| Scopes::of_provider(&scope)),
            })
        }
        (_, Ok(Some(refresh)), ..) => RefreshResult::RotatedOnly(refresh),
        _ => RefreshResult::Outcome(Outcome::failed(Failure::Unreadable)),
    }
}

/// `expires_in` as providers write it: a number, a float or a string of digits; anything else counts as
/// unknown.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => f64::from(text.parse::<u32>().ok()?),
        _ => return None,
    };
    let seconds = if seconds.is_finite() { seconds.floor() } else { return None };
    (seconds >= 1.0).then(|| Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64())))
}
