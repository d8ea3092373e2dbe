//! An OAuth client at its provider, and what its users are asked for.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::provider::Provider;

/// A client that was checked. Whoever runs a sign-in has one: a page by its ticket, a server by its configuration.
#[derive(Clone, Debug)]
pub struct Client {
    client_id: String,
    scopes: Vec<String>,
    provider: Provider,
    hosted_domain: Option<String>,
    login_hint: Option<String>,
}

impl Client {
    /// A client that asks for these scopes, for accounts of this organisation alone, with this account suggested.
    ///
    /// # Errors
    /// `scope_openid_missing` without the scope `openid`, where there are ID tokens (OpenID Connect Core 3.1.2.1).
    pub fn new(
        client_id: String,
        scopes: Vec<String>,
        provider: Provider,
        hosted_domain: Option<String>,
        login_hint: Option<String>,
    ) -> Result<Self, Error> {
        if provider.openid_connect() && !scopes.iter().any(|scope| scope == "openid") {
            return Err(ErrorCode::ScopeOpenidMissing.into());
        }
        Ok(Self { client_id, scopes, provider, hosted_domain, login_hint })
    }

    /// The client's identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The scopes to ask for.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The same as requests name them.
    #[must_use]
    pub fn scope(&self) -> String {
        let mut scope = String::new();
        for name in &self.scopes {
            scope.extend([if scope.is_empty() { "" } else { " " }, name]);
        }
        scope
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The organisation the account must belong to, compared with the claim `hd`.
    #[must_use]
    pub fn hosted_domain(&self) -> Option<&str> {
        self.hosted_domain.as_deref()
    }

    /// The account to suggest to the provider.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.login_hint.as_deref()
    }
}
