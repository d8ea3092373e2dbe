//! The token endpoint's answer. The first byte chooses the status, the rest is the body.

use serde_json::Value;
use tokentoss_core::form_request::{BODY_LIMIT, EndpointAnswer};
use tokentoss_core::token_endpoint::TokenResponse;
use tokentoss_core::{ErrorCode, Secret};

use crate::attempt;
use crate::redaction::assert_hidden;
use crate::{Outcome, refused};

const STATUSES: [u16; 8] = [200, 400, 401, 500, 201, 302, 403, 0];

pub(crate) const CODES: &[ErrorCode] = &[
    ErrorCode::InvalidClient,
    ErrorCode::InvalidGrant,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::ProviderError,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::TokenEndpointFailed,
    ErrorCode::TokenResponseInvalid,
    ErrorCode::TokenResponseNotJson,
    ErrorCode::TokenResponseTooLarge,
    ErrorCode::TokenTypeUnsupported,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
];

/// C44 to C48: accepted tokens are those of the body, of a type that is understood, and fit for a header.
///
/// # Panics
/// When that does not hold.
pub fn token_response(input: &[u8]) -> Outcome {
    let Some((choice, body)) = input.split_first() else { return Err(None) };
    let Ok(body) = std::str::from_utf8(body) else { return Err(None) };
    let status = STATUSES[usize::from(*choice) % STATUSES.len()];
    let ticket = attempt::ticket(0);
    let answer = EndpointAnswer { status, body: Secret::new(body.to_owned()) };
    assert_hidden(&format!("{answer:?}"), body, body);
    let result = TokenResponse::read(&answer, ticket.provider().token_endpoint(), ticket.client().scopes());

    let tree: Value = serde_json::from_str(body).unwrap_or_default();
    let source = tree.to_string();
    let shown = format!("{result:?}");
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(secret) = tree[name].as_str() {
            assert_hidden(&shown, secret, &source);
        }
    }
    let tokens = match result {
        Ok(tokens) => tokens,
        Err(error) => {
            assert_hidden(&error.message(), tree["access_token"].as_str().unwrap_or_default(), &source);
            return refused(&error, CODES);
        }
    };
    assert!(status == 200 && body.len() <= BODY_LIMIT);
    assert!(tree["error"].is_null(), "C45: success with an error in it");
    assert!(tree["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
    let given = [
        ("access_token", Some(&tokens.access_token)),
        ("id_token", tokens.id_token.as_ref()),
        ("refresh_token", tokens.refresh_token.as_ref()),
    ];
    for (name, token) in given {
        assert_eq!(token.map(Secret::expose), tree[name].as_str(), "{name}");
        assert!(token.is_none_or(|token| !token.expose().is_empty()));
        assert!(token.is_none_or(|token| token.expose().bytes().all(|byte| byte.is_ascii_graphic())));
    }
    match tree["scope"].as_str() {
        Some(scope) => {
            assert!(tokens.scopes.iter().map(String::as_str).eq(scope.split(' ').filter(|s| !s.is_empty())))
        }
        None => assert_eq!(tokens.scopes, ticket.client().scopes()),
    }
    assert!(tokens.expires_in.is_none_or(|seconds| seconds <= 315_360_000));
    if let Some(seconds) = tree["expires_in"].as_u64() {
        assert_eq!(tokens.expires_in, Some(seconds.min(315_360_000)));
    }
    Ok(())
}
