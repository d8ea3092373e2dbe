//! The query of a callback. The first byte is the ticket's flags, the rest the query.

use tokentoss_core::authorization_response::{Refusal, verify};
use tokentoss_core::{ErrorCode, Secret};

use crate::attempt::{self, ISSUER, STATE};
use crate::redaction::assert_hidden;
use crate::{Outcome, refused};

pub(crate) const CODES: &[ErrorCode] = &[
    ErrorCode::AccessDenied,
    ErrorCode::AccountSelectionRequired,
    ErrorCode::CallbackInvalid,
    ErrorCode::ConsentRequired,
    ErrorCode::InteractionRequired,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::IssuerMismatch,
    ErrorCode::IssuerMissing,
    ErrorCode::LoginRequired,
    ErrorCode::MessageMalformed,
    ErrorCode::ParameterDuplicated,
    ErrorCode::ProviderError,
    ErrorCode::ServerError,
    ErrorCode::StateMismatch,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedResponseType,
];

/// C6, C32, C38, C40: an accepted callback has this attempt's state once, one code, and no word against it; one
/// without the state never ends the sign-in.
///
/// # Panics
/// When that does not hold.
pub fn callback(input: &[u8]) -> Outcome {
    let Some((flags, query)) = input.split_first() else { return Err(None) };
    let Ok(query) = std::str::from_utf8(query) else { return Err(None) };
    let ticket = attempt::ticket(*flags);
    let parameters = parameters(query);
    let values = |name: &str| -> Vec<&str> {
        parameters.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    };
    let result = verify(query, &Secret::new(STATE.into()), ticket.provider());
    let shown = format!("{result:?}");
    let source: Vec<&str> = parameters.iter().map(|(_, value)| value.as_str()).collect();
    for name in ["state", "code"] {
        for secret in values(name) {
            assert_hidden(&shown, secret, &source.join("\n"));
        }
    }
    match result {
        Ok(code) => {
            assert_eq!(values("state"), [STATE]);
            assert_eq!(values("code"), [code.expose()]);
            assert!(!code.expose().is_empty());
            assert!(values("error").iter().all(|error| error.is_empty()) && values("error").len() <= 1);
            match values("iss")[..] {
                [] | [""] => assert!(!ticket.provider().iss_parameter_supported()),
                [issuer] => assert_eq!(issuer, ISSUER),
                _ => panic!("two issuers"),
            }
            Ok(())
        }
        Err(Refusal::Dropped(error)) => {
            let issuers: Vec<&str> = values("iss").into_iter().filter(|issuer| !issuer.is_empty()).collect();
            let promised = ticket.provider().iss_parameter_supported();
            let of_another =
                issuers.iter().any(|issuer| *issuer != ISSUER) || (promised && issuers.is_empty());
            assert!(query.len() > 16 * 1024 || !values("state").contains(&STATE) || of_another);
            refused(&error, CODES)
        }
        Err(Refusal::Ended(error)) => {
            assert!(values("state").contains(&STATE), "a stranger ended the sign-in");
            refused(&error, CODES)
        }
    }
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16)).map(|d| d as u8);
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
