//! The requests of a sign-in: forms that are posted to the provider's endpoints, and what comes back.

use alloc::borrow::ToOwned;
use alloc::string::String;

use form_urlencoded::Serializer;

use crate::client::Client;
use crate::client_authentication::ClientAuthentication;
use crate::endpoint::EndpointUrl;
use crate::secret::Secret;

/// The longest answer that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A POST of a form to the token endpoint, or to the device authorization endpoint, to be sent once.
#[derive(Debug)]
pub struct FormRequest {
    /// The endpoint.
    pub url: String,
    /// The header `Authorization`, for a client that authenticates by one.
    pub authorization: Option<Secret>,
    /// The form, `application/x-www-form-urlencoded`.
    pub body: Secret,
}

impl FormRequest {
    /// A form without authentication.
    pub(crate) fn new(endpoint: &EndpointUrl, mut form: Serializer<'_, String>) -> Self {
        Self { url: endpoint.as_str().to_owned(), authorization: None, body: Secret::new(form.finish()) }
    }

    /// A token request. A client with a secret shows it as its provider asks, and never in two ways at once (RFC 6749
    /// section 2.3).
    pub(crate) fn to_token_endpoint(
        client: &Client,
        client_secret: Option<&Secret>,
        mut form: Serializer<'_, String>,
    ) -> Self {
        let provider = client.provider();
        let method = provider.token_endpoint_auth_method();
        let authentication = ClientAuthentication::new(client.client_id(), method, client_secret);
        for (name, value) in authentication.parameters() {
            form.append_pair(name, value);
        }
        Self { authorization: authentication.header(), ..Self::new(provider.token_endpoint(), form) }
    }
}

/// What an endpoint answered, as far as a browser tells.
#[derive(Debug)]
pub struct EndpointAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, cut off behind [`BODY_LIMIT`] plus one byte.
    pub body: Secret,
}
