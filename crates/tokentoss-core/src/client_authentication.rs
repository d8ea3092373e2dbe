//! How a client shows the token endpoint who it is (RFC 6749 section 2.3.1).

use alloc::string::String;

use form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::base64url;
use crate::secret::Secret;
use crate::ticket::Ticket;

/// A way that a provider asks for (`token_endpoint_auth_method`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By its identifier alone, although it may have a secret.
    None,
    /// By the secret in the form, which stays a simple request for a browser.
    ClientSecretPost,
    /// By HTTP Basic authentication, for which a browser asks first (a CORS preflight).
    ClientSecretBasic,
}

impl AuthMethod {
    /// The method of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "client_secret_post" => Some(Self::ClientSecretPost),
            "client_secret_basic" => Some(Self::ClientSecretBasic),
            _ => None,
        }
    }
}

/// One client's identification in one request.
pub(crate) struct ClientAuthentication<'a> {
    client_id: &'a str,
    secret: Option<&'a Secret>,
    method: AuthMethod,
}

impl<'a> ClientAuthentication<'a> {
    /// A client without a secret identifies itself, whatever the provider asks of others.
    pub(crate) fn new(ticket: &'a Ticket, secret: Option<&'a Secret>) -> Self {
        let method = ticket.provider().token_endpoint_auth_method();
        Self { client_id: ticket.client_id(), secret: secret.filter(|_| method != AuthMethod::None), method }
    }

    /// The header `Authorization`; identifier and secret are form-encoded before they are joined.
    pub(crate) fn header(&self) -> Option<Secret> {
        let secret = self.secret.filter(|_| self.method == AuthMethod::ClientSecretBasic)?;
        let mut pair: Zeroizing<String> = Zeroizing::new(byte_serialize(self.client_id.as_bytes()).collect());
        pair.push(':');
        pair.extend(byte_serialize(secret.expose().as_bytes()));
        let mut header = String::from("Basic ");
        header.push_str(&base64url::encode_standard(pair.as_bytes()));
        Some(Secret::new(header))
    }

    /// The parameters of the form.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let by_header = self.secret.is_some() && self.method == AuthMethod::ClientSecretBasic;
        let secret = self.secret.map(|secret| ("client_secret", secret.expose()));
        let parameters = [Some(("client_id", self.client_id)), secret];
        parameters.into_iter().flatten().filter(move |_| !by_header)
    }
}
