//! Projected service-account tokens: a JWS (RFC 7515) with the claims that Kubernetes puts in.
//!
//! They are read here and not by a library for JWTs: those that are kept bring a second stack of cryptography
//! beside that of TLS, and read the clock by themselves. Of the standard only what Kubernetes issues is
//! accepted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokentoss_core::Timestamp;

use super::key_set::KeySet;

/// How far the cluster's clock may be from this machine's, in seconds.
const LEEWAY: u64 = 10;
/// The longest name of a namespace (RFC 1123's label) and of a service account (its subdomain), in
/// characters.
const NAMESPACE_LIMIT: usize = 63;
const ACCOUNT_LIMIT: usize = 253;

/// A service account of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceAccount {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// A parsed token whose signature is not verified yet; nothing in it may be trusted before that.
pub(super) struct UnverifiedToken<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Header,
    claims: Claims,
}

/// The values that a token must have.
pub(super) struct ExpectedClaims<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) keys: &'a KeySet,
    pub(super) now: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// Critical header parameters (RFC 7515 section 4.1.11); none is supported.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    /// Seconds since 1970.
    exp: u64,
    nbf: Option<u64>,
    #[serde(rename = "kubernetes.io")]
    kubernetes: KubernetesClaims,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The `kubernetes.io` claim: the object that a token is bound to.
#[derive(Deserialize)]
struct KubernetesClaims {
    namespace: String,
    serviceaccount: ServiceAccountClaim,
}

#[derive(Deserialize)]
struct ServiceAccountClaim {
    name: String,
    uid: String,
}

/// Whether a text has the form of a JWS: three parts, which no key or token of another kind has.
pub(super) fn is_jws(text: &str) -> bool {
    text.split('.').count() == 3 && text.starts_with("eyJ")
}

impl<'a> UnverifiedToken<'a> {
    /// Parses a token; none if it is not a service-account token.
    pub(super) fn read(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = part(header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        header.crit.is_none().then_some(())?;
        Some(Self { signed, signature, header, claims: part(claims)? })
    }

    /// The unverified issuer.
    pub(super) fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// The unverified identifier of the signing key.
    pub(super) fn key_id(&self) -> &str {
        &self.header.kid
    }

    /// Verifies signature, issuer, audience and lifetime; the service account if all are valid.
    pub(super) fn verify(&self, expected: &ExpectedClaims<'_>) -> Option<ServiceAccount> {
        let Self { signed, signature, header, claims } = self;
        let is_signed = expected.keys.verify(&header.kid, &header.alg, signed.as_bytes(), signature);
        let is_for_us = match &claims.aud {
            Audience::One(audience) => audience == expected.audience,
            Audience::Several(audiences) => audiences.iter().any(|audience| audience == expected.audience),
        };
        let now = expected.now.as_secs();
        let lives = now < claims.exp.saturating_add(LEEWAY)
            && claims.nbf.is_none_or(|begin| begin <= now.saturating_add(LEEWAY));
        let KubernetesClaims { namespace, serviceaccount: ServiceAccountClaim { name, uid } } =
            &claims.kubernetes;
        let is_account = is_name(namespace, NAMESPACE_LIMIT, false)
            && is_name(name, ACCOUNT_LIMIT, true)
            && !uid.is_empty()
            && claims.sub == format!("system:serviceaccount:{namespace}:{name}");
        (is_signed && claims.iss == expected.issuer && is_for_us && lives && is_account)
            .then(|| ServiceAccount { namespace: namespace.clone(), name: name.clone() })
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// Whether Kubernetes accepts this as a name.
fn is_name(name: &str, limit: usize, has_dots: bool) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_inner = |byte: u8| is_plain(byte) || byte == b'-' || (has_dots && byte == b'.');
    let ends = [name.bytes().next(), name.bytes().last()];
    name.len() <= limit
        && name.bytes().all(is_inner)
        && ends.into_iter().all(|byte| byte.is_some_and(is_plain))
}

impl ServiceAccount {
    /// Whether namespace and name can be those of a service account.
    pub(super) fn can_be(namespace: &str, name: Option<&str>) -> bool {
        is_name(namespace, NAMESPACE_LIMIT, false)
            && name.is_none_or(|name| is_name(name, ACCOUNT_LIMIT, true))
    }
}
