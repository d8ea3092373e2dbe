//! The request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use tokentoss_core::Secret;

use crate::scopes::Target;

/// How the client shows who it is (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug)]
pub enum Authentication<'a> {
    /// By its identifier alone.
    None,
    /// By a secret in the form.
    Post(&'a Secret),
    /// By HTTP Basic authentication.
    Basic(&'a Secret),
}

/// A POST of a form to the token endpoint, to be sent once.
#[derive(Debug)]
pub struct RefreshRequest {
    /// The header `Authorization`, for a client that authenticates by one.
    pub authorization: Option<Secret>,
    /// The form, `application/x-www-form-urlencoded`.
    pub body: Secret,
}

impl RefreshRequest {
    /// Builds the request. An audience is sent as `resource` (RFC 8707) where it is an address, else as
    /// `audience`.
    #[must_use]
    pub fn new(
        client_id: &str,
        authentication: Authentication<'_>,
        refresh: &Secret,
        target: &Target,
    ) -> Self {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("refresh_token", refresh.expose());
        if !target.scopes.is_empty() {
            form.append_pair("scope", &target.scopes.to_list());
        }
        if let Some(audience) = &target.audience {
            let name = if audience.contains("://") { "resource" } else { "audience" };
            form.append_pair(name, audience);
        }
        let authorization = authenticate(&mut form, client_id, authentication);
        Self { authorization, body: Secret::new(form.finish()) }
    }
}

/// A POST of a form to the revocation endpoint (RFC 7009 section 2.1).
#[derive(Debug)]
pub struct RevocationRequest {
    /// The header `Authorization`, for a client that authenticates by one.
    pub authorization: Option<Secret>,
    /// The form, `application/x-www-form-urlencoded`.
    pub body: Secret,
}

impl RevocationRequest {
    /// Builds the request. It has no `token_type_hint`, without which a provider looks among all its tokens.
    #[must_use]
    pub fn new(client_id: &str, authentication: Authentication<'_>, token: &Secret) -> Self {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token.expose());
        let authorization = authenticate(&mut form, client_id, authentication);
        Self { authorization, body: Secret::new(form.finish()) }
    }
}

/// Shows who the client is: in the form, or by the header that is returned.
fn authenticate(
    form: &mut Serializer<'_, String>,
    client_id: &str,
    authentication: Authentication<'_>,
) -> Option<Secret> {
    match authentication {
        Authentication::Basic(secret) => Some(basic(client_id, secret)),
        Authentication::None => {
            form.append_pair("client_id", client_id);
            None
        }
        Authentication::Post(secret) => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret.expose());
            None
        }
    }
}

/// Identifier and secret are form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret) -> Secret {
    let mut pair: String = byte_serialize(client_id.as_bytes()).collect();
    pair.push(':');
    pair.extend(byte_serialize(secret.expose().as_bytes()));
    let pair = Secret::new(pair);
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose().as_bytes())))
}
