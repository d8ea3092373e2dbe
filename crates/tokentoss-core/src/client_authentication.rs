//! How a client shows the token endpoint who it is (RFC 6749 section 2.3.1).

use alloc::string::String;

use form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::base64url;
use crate::provider::AuthMethod;
use crate::secret::Secret;

/// One client's identification in one request.
pub(crate) struct ClientAuthentication<'a> {
    client_id: &'a str,
    secret: Option<&'a Secret>,
    method: AuthMethod,
}

impl<'a> ClientAuthentication<'a> {
    /// A client without a secret identifies itself, whatever the provider asks of others.
    pub(crate) fn new(client_id: &'a str, method: AuthMethod, secret: Option<&'a Secret>) -> Self {
        Self { client_id, secret: secret.filter(|_| method != AuthMethod::None), method }
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
