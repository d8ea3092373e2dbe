//! Token requests for authorization codes, and the token endpoint's answer (RFC 6749 sections 4.1.3, 5.1 and 5.2).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use form_urlencoded::Serializer;

use crate::authorization_response::VerifiedCode;
use crate::client::Client;
use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::form_request::{BODY_LIMIT, EndpointAnswer, FormRequest};
use crate::json::{Json, NotAsExpected, Object};
use crate::pkce::CodeVerifier;
use crate::secret::Secret;
use crate::ticket::Ticket;

/// The longest token that is kept, in bytes.
const TOKEN_LIMIT: usize = 32 * 1024;
/// The longest lifetime that is believed, in seconds: ten years.
const LIFETIME_LIMIT: u64 = 10 * 365 * 24 * 3600;
/// What a token endpoint may say that ends a sign-in, whatever the grant (RFC 6749 section 5.2).
pub(crate) const REFUSALS: [ErrorCode; 8] = [
    ErrorCode::InvalidClient,
    ErrorCode::InvalidGrant,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
];

/// The request that exchanges an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[must_use]
pub fn code_exchange(
    client: &Client,
    code: &VerifiedCode,
    redirect_uri: &EndpointUrl,
    verifier: &CodeVerifier,
    client_secret: Option<&Secret>,
) -> FormRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code");
    form.append_pair("code", code.expose());
    form.append_pair("redirect_uri", redirect_uri.as_str());
    form.append_pair("code_verifier", verifier.expose());
    FormRequest::to_token_endpoint(client, client_secret, form)
}

/// A token request without an authorization code: whatever the endpoint answers, that it can be read shows that this page may
/// talk to it.
#[must_use]
pub fn probe(ticket: &Ticket) -> FormRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code");
    FormRequest::to_token_endpoint(ticket.client(), None, form)
}

/// The tokens of a successful answer.
#[derive(Debug)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, when one was issued.
    pub refresh_token: Option<Secret>,
    /// The ID token, not yet checked, when one was issued.
    pub id_token: Option<Secret>,
    /// Lifetime of the access token in seconds, when the provider says so in a usable way.
    pub expires_in: Option<u64>,
    /// The scopes granted; those asked for when the answer names none (RFC 6749 section 5.1).
    pub scopes: Vec<String>,
}

struct Success {
    access_token: Option<Secret>,
    token_type: Option<String>,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    expires_in: Option<Json>,
    scope: Option<String>,
    error: Option<Json>,
}

impl TokenResponse {
    /// Reads the token endpoint's answer.
    ///
    /// # Errors
    /// The provider's refusal by its code; `token_response_too_large`, `token_endpoint_failed`,
    /// `token_response_not_json`, `token_response_invalid` or `token_type_unsupported` when the answer is
    /// not one that the RFC allows.
    pub fn read(
        answer: &EndpointAnswer,
        endpoint: &EndpointUrl,
        requested: &[String],
    ) -> Result<Self, Error> {
        let body = answer.body.expose();
        let misbehaved = |code| Error::about(code, endpoint.authority());
        if body.len() > BODY_LIMIT {
            return Err(misbehaved(ErrorCode::TokenResponseTooLarge));
        }
        if answer.status != 200 {
            return Err(match Object::read(body).map(|mut failure| failure.text("error")) {
                Ok(Some(error)) => Error::of_provider(&error, &REFUSALS, endpoint.authority()),
                _ => misbehaved(ErrorCode::TokenEndpointFailed),
            });
        }
        let success = Success::read(body).map_err(|error| match error {
            NotAsExpected::Shape => invalid("a member"),
            NotAsExpected::Syntax => misbehaved(ErrorCode::TokenResponseNotJson),
        })?;
        success.check(requested)
    }
}

impl Success {
    fn read(body: &str) -> Result<Self, NotAsExpected> {
        let mut answer = Object::read(body)?;
        let success = Self {
            access_token: answer.secret("access_token"),
            token_type: answer.text("token_type"),
            refresh_token: answer.secret("refresh_token"),
            id_token: answer.secret("id_token"),
            expires_in: answer.take("expires_in"),
            scope: answer.text("scope"),
            error: answer.take("error"),
        };
        answer.check().map(|()| success)
    }

    fn check(self, requested: &[String]) -> Result<TokenResponse, Error> {
        let wrong = match self.token_type.as_deref() {
            _ if self.error.is_some() => "the error with status 200",
            None => "token_type",
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
                return Err(Error::about(ErrorCode::TokenTypeUnsupported, kind));
            }
            _ if !self.access_token.as_ref().is_some_and(is_usable) => "access_token",
            _ if !self.refresh_token.as_ref().is_none_or(is_usable) => "refresh_token",
            _ if !self.id_token.as_ref().is_none_or(is_usable) => "id_token",
            _ => "",
        };
        match self.access_token {
            Some(access_token) if wrong.is_empty() => Ok(TokenResponse {
                access_token,
                refresh_token: self.refresh_token,
                id_token: self.id_token,
                expires_in: self.expires_in.as_ref().and_then(lifetime),
                scopes: match self.scope {
                    Some(granted) => {
                        granted.split(' ').filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect()
                    }
                    None => requested.to_vec(),
                },
            }),
            _ => Err(invalid(wrong)),
        }
    }
}

/// Whether a token is neither empty, nor huge, nor able to break a header.
fn is_usable(token: &Secret) -> bool {
    let text = token.expose();
    !text.is_empty() && text.len() <= TOKEN_LIMIT && text.bytes().all(|b| b.is_ascii_graphic())
}

/// `expires_in` as providers write it: a number, a float or a string of digits; anything else
/// counts as unknown, which is legal (RFC 6749 section 5.1).
pub(crate) fn lifetime(value: &Json) -> Option<u64> {
    let written = value.as_text().and_then(|text| text.parse().ok());
    written.or_else(|| value.as_seconds()).map(|seconds| seconds.min(LIFETIME_LIMIT))
}

fn invalid(what: &str) -> Error {
    Error::about(ErrorCode::TokenResponseInvalid, what)
}
