//! The ID token. The first byte is the ticket's flags; with its bit 64 the rest is the token itself, else three
//! lines, header, claims and signature, which are encoded here, so that the fuzzer can work on the JSON.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokentoss_core::id_token::check_claims;
use tokentoss_core::token_endpoint::TokenResponse;
use tokentoss_core::{ErrorCode, Secret};

use crate::attempt::{self, ACCESS_TOKEN, CLIENT_ID, HOSTED_DOMAIN, ISSUER, NONCE, NOW};
use crate::redaction::sanitised;
use crate::{Outcome, refused};

const RAW: u8 = 64;
const LEEWAY: f64 = 60.0;

pub(crate) const CODES: &[ErrorCode] = &[
    ErrorCode::ClockSkew,
    ErrorCode::HostedDomainMismatch,
    ErrorCode::IdTokenAccessTokenHashMismatch,
    ErrorCode::IdTokenAlgorithmRefused,
    ErrorCode::IdTokenAudienceMismatch,
    ErrorCode::IdTokenAuthorizedPartyMismatch,
    ErrorCode::IdTokenExpired,
    ErrorCode::IdTokenIssuedAtInvalid,
    ErrorCode::IdTokenIssuerMismatch,
    ErrorCode::IdTokenMalformed,
    ErrorCode::IdTokenMissing,
    ErrorCode::IdTokenNonceMismatch,
    ErrorCode::IdTokenSubjectMissing,
];

/// C7, C52 to C58: an accepted token has every claim, each of them right.
///
/// # Panics
/// When that does not hold.
pub fn id_token(input: &[u8]) -> Outcome {
    let Some((flags, rest)) = input.split_first() else { return Err(None) };
    let Ok(text) = std::str::from_utf8(rest) else { return Err(None) };
    let token = if flags & RAW != 0 { text.to_owned() } else { encoded(text) };
    let ticket = attempt::ticket(*flags);
    let tokens = TokenResponse {
        access_token: Secret::new(ACCESS_TOKEN.into()),
        refresh_token: None,
        // Nothing behind the flags stands for an answer without one.
        id_token: (!text.is_empty()).then(|| Secret::new(token.clone())),
        expires_in: None,
        scopes: Vec::new(),
    };
    let result = check_claims(tokens, ticket.client(), Some(NONCE), attempt::now());
    if let Err(error) = result {
        // A provider that writes them where a name belongs publishes them itself.
        let source: String = token.split('.').map(|part| sanitised(&readable(part))).collect();
        for secret in [NONCE, ACCESS_TOKEN] {
            assert!(source.contains(secret) || !error.message().contains(secret), "{}", error.message());
        }
        return refused(&error, CODES);
    }

    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _] = parts[..] else { panic!("not three parts: {token}") };
    let (header, claims) = (tree(header), tree(claims));
    let algorithm = header["alg"].as_str().expect("an algorithm");
    assert!(ticket.provider().accepts_algorithm(algorithm));
    assert!(header["crit"].is_null(), "an extension that is not understood (RFC 7515 section 4.1.11)");
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["nonce"], NONCE);
    assert!(
        claims["sub"].as_str().is_some_and(|subject| !subject.is_empty() && subject.chars().count() <= 255)
    );
    match &claims["aud"] {
        Value::Array(many) => assert!(!many.is_empty() && many.iter().all(|audience| audience == CLIENT_ID)),
        one => assert_eq!(one, CLIENT_ID),
    }
    assert!(claims["azp"].is_null() || claims["azp"] == CLIENT_ID);
    let now = NOW as f64;
    // Whole seconds are compared, so a fraction may be lost.
    assert!(claims["exp"].as_f64().is_some_and(|at| at + LEEWAY > now));
    assert!(claims["iat"].as_f64().is_some_and(|at| (0.0..now + LEEWAY + 1.0).contains(&at)));
    assert!(claims["nbf"].is_null() || claims["nbf"].as_f64().is_some_and(|at| at < now + LEEWAY + 1.0));
    if !claims["at_hash"].is_null() && algorithm.ends_with("256") {
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&Sha256::digest(ACCESS_TOKEN)[..16]));
    }
    assert!(ticket.client().hosted_domain().is_none() || claims["hd"] == HOSTED_DOMAIN);
    Ok(())
}

fn encoded(lines: &str) -> String {
    let parts: Vec<String> = lines.split('\n').map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
    parts.join(".")
}

fn readable(part: &str) -> String {
    let json = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice::<Value>(&json).unwrap_or_default().to_string()
}

fn tree(part: &str) -> Value {
    let json = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&json).expect("JSON")
}
