//! Answers of the device grant (RFC 8628). The first byte chooses the status and, by its highest bit, the question: a user
//! code, or tokens for one. The rest is the body.

use std::time::Duration;

use serde_json::Value;
use tokentoss_core::device_authorization::{DeviceAuthorization, Polling};
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::form_request::{BODY_LIMIT, EndpointAnswer};
use tokentoss_core::{ErrorCode, Secret};

use crate::attempt;
use crate::redaction::assert_hidden;
use crate::{Outcome, refused};

const STATUSES: [u16; 8] = [200, 400, 401, 500, 429, 302, 503, 0];
const POLL: u8 = 0x80;
const INTERVAL: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(crate) const CODES: &[ErrorCode] = &[
    ErrorCode::AccessDenied,
    ErrorCode::DeviceResponseInvalid,
    ErrorCode::ExpiredToken,
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

/// A code is one that a person can type, on a page of one origin, for a bounded time; a poll brings tokens of the body, an
/// end, or another poll after a bounded pause.
///
/// # Panics
/// When that does not hold.
pub fn device_answer(input: &[u8]) -> Outcome {
    let Some((choice, body)) = input.split_first() else { return Err(None) };
    let Ok(body) = std::str::from_utf8(body) else { return Err(None) };
    let status = STATUSES[usize::from(*choice) % STATUSES.len()];
    let answer = EndpointAnswer { status, body: Secret::new(body.to_owned()) };
    let tree: Value = serde_json::from_str(body).unwrap_or_default();
    if choice & POLL == 0 { user_code(&answer, &tree) } else { poll(&answer, &tree) }
}

fn user_code(answer: &EndpointAnswer, tree: &Value) -> Outcome {
    let endpoint = EndpointUrl::parse("https://op.example/device_authorization").expect("an endpoint");
    let result = DeviceAuthorization::read(answer, &endpoint);
    if let Some(secret) = tree["device_code"].as_str() {
        assert_hidden(&format!("{result:?}"), secret, &tree.to_string());
    }
    let code = match result {
        Ok(code) => code,
        Err(error) => return refused(&error, CODES),
    };
    assert!(answer.status == 200 && answer.body.expose().len() <= BODY_LIMIT);
    assert!(tree["error"].is_null(), "an error that comes with a code");
    assert_eq!(Some(code.device_code.expose()), tree["device_code"].as_str());
    assert_eq!(Some(code.user_code.as_str()), tree["user_code"].as_str());
    assert!((1..=64).contains(&code.user_code.len()) && code.user_code.trim() == code.user_code);
    assert!(code.user_code.chars().all(|character| (' '..='~').contains(&character)));
    assert!((1..=3600).contains(&code.expires_in.as_secs()));
    let page = |url: &EndpointUrl| url::Url::parse(url.as_str()).expect("a page that a browser reads");
    let verification = page(&code.verification_uri);
    assert!(["https", "http"].contains(&verification.scheme()), "no script");
    if let Some(complete) = &code.complete {
        assert_eq!(page(complete).origin(), verification.origin());
    }
    assert!(
        Polling::new(code.interval).pause() >= Duration::from_secs(1),
        "no provider is asked without a pause"
    );
    Ok(())
}

fn poll(answer: &EndpointAnswer, tree: &Value) -> Outcome {
    let mut polling = Polling::new(INTERVAL);
    let result = polling.take(Some(answer), &attempt::ticket(0));
    let shown = format!("{result:?}");
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(secret) = tree[name].as_str() {
            assert_hidden(&shown, secret, &tree.to_string());
        }
    }
    match result {
        Ok(Some(tokens)) => {
            assert!(answer.status == 200 && tree["error"].is_null());
            assert_eq!(Some(tokens.access_token.expose()), tree["access_token"].as_str());
            Ok(())
        }
        Ok(None) => {
            assert!((INTERVAL..=LONGEST_PAUSE).contains(&polling.pause()));
            Err(None)
        }
        Err(error) => refused(&error, CODES),
    }
}
