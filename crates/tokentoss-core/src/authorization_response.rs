//! The authorization response (RFC 6749 section 4.1.2, RFC 9207).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::provider::Provider;
use crate::secret::Secret;

/// The longest query that is looked at, in bytes.
const QUERY_LIMIT: usize = 16 * 1024;
/// The longest value of a parameter that is used, in bytes.
const VALUE_LIMIT: usize = 4096;
/// The parameters that are read; all others are ignored (RFC 6749 section 4.1.2).
const KNOWN: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

/// An authorization code that answers this sign-in; only [`verify`] makes one, in whatever place it ran.
#[derive(Debug)]
pub struct VerifiedCode(Secret);

impl VerifiedCode {
    /// A code that a page checked and sealed to whoever redeems it.
    pub(crate) fn deposited(code: Secret) -> Self {
        Self(code)
    }

    /// The authorization code, for the one token request.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Why an answer gives no authorization code.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not answer this sign-in: it is dropped, and the sign-in goes on waiting.
    Dropped(Error),
    /// It answers this sign-in, which ends with it.
    Ended(Error),
}

/// Checks the query of an authorization response against the attempt that is going on.
///
/// The order is RFC 9207's: the state and the issuer first, whatever else the answer holds; only then is an error or an
/// authorization code read. An answer without the right state or issuer never ends a sign-in.
///
/// # Errors
/// [`Refusal::Dropped`] with `message_malformed`, `state_mismatch`, `issuer_missing` or `issuer_mismatch`;
/// [`Refusal::Ended`] with `parameter_duplicated`, `callback_invalid`, or the provider's own refusal.
pub fn verify(query: &str, state: &Secret, provider: &Provider) -> Result<VerifiedCode, Refusal> {
    if query.len() > QUERY_LIMIT {
        return Err(Refusal::Dropped(ErrorCode::MessageMalformed.into()));
    }
    let response = Response::read(query);
    if !response.states().any(|given| state.matches(given)) {
        return Err(Refusal::Dropped(ErrorCode::StateMismatch.into()));
    }
    // An answer of another issuer is not this provider's to give, so it ends nothing either.
    response.check_issuer(provider).map_err(Refusal::Dropped)?;
    response.check(provider).map_err(Refusal::Ended)
}

/// What an authorization endpoint may say that ends a sign-in.
const REFUSALS: [ErrorCode; 11] = [
    ErrorCode::AccessDenied,
    ErrorCode::AccountSelectionRequired,
    ErrorCode::ConsentRequired,
    ErrorCode::InteractionRequired,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::LoginRequired,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedResponseType,
];

struct Response<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Response<'a> {
    fn read(query: &'a str) -> Self {
        let known = |name: &str| KNOWN.contains(&name);
        Self(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| known(name)).collect())
    }

    fn states(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| name == "state").map(|(_, value)| value.as_ref())
    }

    /// A parameter's value; empty values count as absent (RFC 6749 section 3.1).
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_ref())?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether every issuer that it names is the provider (RFC 9207 section 2.4).
    fn check_issuer(&self, provider: &Provider) -> Result<(), Error> {
        let named = self.0.iter().filter(|(name, value)| name == "iss" && !value.is_empty());
        let mut missing = provider.iss_parameter_supported();
        for (_, issuer) in named {
            if issuer != provider.issuer() {
                return Err(Error::about(ErrorCode::IssuerMismatch, issuer));
            }
            missing = false;
        }
        if missing { Err(ErrorCode::IssuerMissing.into()) } else { Ok(()) }
    }

    fn check(self, provider: &Provider) -> Result<VerifiedCode, Error> {
        for (at, (name, value)) in self.0.iter().enumerate() {
            if self.0.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(Error::about(ErrorCode::ParameterDuplicated, name));
            }
            if value.len() > VALUE_LIMIT {
                return Err(ErrorCode::CallbackInvalid.into());
            }
        }
        match (self.get("error"), self.get("code")) {
            (Some(error), None) => {
                Err(Error::of_provider(error, &REFUSALS, provider.authorization_endpoint().authority()))
            }
            (None, Some(code)) => Ok(VerifiedCode(Secret::new(String::from(code)))),
            _ => Err(ErrorCode::CallbackInvalid.into()),
        }
    }
}
