//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1).

use alloc::string::String;
use core::fmt;

use form_urlencoded::Serializer;

use crate::base64url;
use crate::client::Client;
use crate::endpoint::EndpointUrl;
use crate::entropy::{Entropy, draw};
use crate::error::Error;
use crate::pkce::CodeVerifier;
use crate::secret::Secret;
use crate::ticket::Ticket;

/// One attempt's secrets and the request made from them: all fresh, none ever used again.
pub struct AuthorizationRequest {
    url: String,
    redirect_uri: EndpointUrl,
    verifier: CodeVerifier,
    state: Secret,
    salt: String,
    nonce: String,
}

impl AuthorizationRequest {
    /// Draws verifier, state and salt and builds the request's URL, for an answer to `redirect_uri`. The kernel can compute
    /// the nonce again from the salt.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails.
    pub fn new(ticket: &Ticket, redirect_uri: &EndpointUrl, rng: &mut dyn Entropy) -> Result<Self, Error> {
        let state = Secret::new(base64url::encode(&draw::<32>(rng)?));
        let salt = base64url::encode(&draw::<16>(rng)?);
        let nonce = ticket.nonce_for(&salt);
        Self::with_state(ticket.client(), redirect_uri, state, salt, nonce, rng)
    }

    /// The same for a client without a ticket, with a state and a nonce that nobody can guess.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails.
    pub fn with_state(
        client: &Client,
        redirect_uri: &EndpointUrl,
        state: Secret,
        salt: String,
        nonce: String,
        rng: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let verifier = CodeVerifier::generate(rng)?;
        let provider = client.provider();

        let mut query = Serializer::new(String::new());
        query.append_pair("response_type", "code");
        query.append_pair("client_id", client.client_id());
        query.append_pair("redirect_uri", redirect_uri.as_str());
        // An empty list of scopes is none (RFC 6749 section 3.3), and some providers refuse it.
        if !client.scopes().is_empty() {
            query.append_pair("scope", &client.scope());
        }
        query.append_pair("state", state.expose());
        if provider.openid_connect() {
            query.append_pair("nonce", &nonce);
        }
        query.append_pair("code_challenge", &verifier.challenge());
        query.append_pair("code_challenge_method", "S256");
        for (name, value) in hints(client) {
            query.append_pair(name, value);
        }
        for (name, value) in provider.authorization_parameters() {
            query.append_pair(name, value);
        }
        let url = provider.authorization_endpoint().with_query(&query.finish());
        Ok(Self { url, redirect_uri: redirect_uri.clone(), verifier, state, salt, nonce })
    }

    /// Where the popup goes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the provider sends the popup back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &EndpointUrl {
        &self.redirect_uri
    }

    /// The code verifier, for the token request.
    #[must_use]
    pub fn verifier(&self) -> &CodeVerifier {
        &self.verifier
    }

    /// The state that the answer must carry.
    #[must_use]
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// What the kernel needs to compute the nonce again.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The nonce that the ID token must carry.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest").finish_non_exhaustive()
    }
}

/// Optional parameters; a provider's own setting of the same name comes instead.
fn hints(client: &Client) -> impl Iterator<Item = (&'static str, &str)> {
    let given = client.provider().authorization_parameters();
    [("login_hint", client.login_hint()), ("hd", client.hosted_domain())]
        .into_iter()
        .filter(|(name, _)| !given.iter().any(|(given, _)| given == name))
        .filter_map(|(name, value)| Some((name, value?)))
}
