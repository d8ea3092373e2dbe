//! The sign-in ticket: everything a click may depend on, published by the kernel beforehand.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::base64url;
use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::json::{NotAsExpected, Object};
use crate::provider::{Provider, ProviderData};
use crate::sealing::{Binding, PublicKey, push_with_length};
use crate::secret::Secret;

const VERSION: u64 = 1;
const NONCE_LABEL: &str = "tokentoss/nonce/1";

/// A ticket before it is checked, as it stands in the widget's trait.
struct TicketData {
    version: Option<u64>,
    id: String,
    proof: Secret,
    nonce: String,
    public_key: String,
    client_id: String,
    client_secret_sealed: bool,
    scopes: Vec<String>,
    redirect_uri: String,
    provider: ProviderData,
    hosted_domain: Option<String>,
    login_hint: Option<String>,
}

impl TicketData {
    fn read(json: &str) -> Result<Self, NotAsExpected> {
        let mut ticket = Object::read(json)?;
        Ok(Self {
            version: ticket.take("version")?.and_then(|version| version.as_seconds()),
            id: ticket.required_text("id")?,
            proof: ticket.secret("proof")?.ok_or(NotAsExpected::Shape)?,
            nonce: ticket.required_text("nonce")?,
            public_key: ticket.required_text("public_key")?,
            client_id: ticket.required_text("client_id")?,
            client_secret_sealed: ticket.flag("client_secret_sealed")?,
            scopes: ticket.texts("scopes")?,
            redirect_uri: ticket.required_text("redirect_uri")?,
            provider: ProviderData::read(ticket.object("provider")?)?,
            hosted_domain: ticket.text("hosted_domain")?,
            login_hint: ticket.text("login_hint")?,
        })
    }
}

/// A ticket that was checked: whatever it holds can be used as it stands.
#[derive(Debug)]
pub struct Ticket {
    id: String,
    proof: Secret,
    nonce: String,
    kernel_key: PublicKey,
    client_id: String,
    client_secret_sealed: bool,
    scopes: Vec<String>,
    redirect_uri: EndpointUrl,
    provider: Provider,
    hosted_domain: Option<String>,
    login_hint: Option<String>,
}

impl Ticket {
    /// Reads a ticket from the JSON of the widget's trait.
    ///
    /// # Errors
    /// `ticket_invalid` with what is wrong, and what [`Provider::check`] refuses;
    /// `scope_openid_missing` without the scope `openid` (OpenID Connect Core 3.1.2.1).
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let invalid = |what: &str| Error::about(ErrorCode::TicketInvalid, what);
        let data = TicketData::read(json).map_err(|_| invalid("the ticket is malformed"))?;
        if data.version != Some(VERSION) {
            return Err(invalid("the ticket is of another version"));
        }
        if data.id.is_empty() || data.client_id.is_empty() || data.nonce.is_empty() {
            return Err(invalid("the ticket is incomplete"));
        }
        if !data.scopes.iter().any(|scope| scope == "openid") {
            return Err(ErrorCode::ScopeOpenidMissing.into());
        }
        let redirect_uri = EndpointUrl::parse(&data.redirect_uri)?;
        if !redirect_uri.is_loopback() || !redirect_uri.query().is_empty() {
            return Err(invalid("the redirect address"));
        }
        Ok(Self {
            kernel_key: PublicKey::from_base64url(&data.public_key)
                .ok_or_else(|| invalid("the kernel key"))?,
            provider: Provider::check(data.provider)?,
            redirect_uri,
            id: data.id,
            proof: data.proof,
            nonce: data.nonce,
            client_id: data.client_id,
            client_secret_sealed: data.client_secret_sealed,
            scopes: data.scopes,
            hosted_domain: data.hosted_domain,
            login_hint: data.login_hint,
        })
    }

    /// The ticket's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Shows the loopback listener that the message comes from the notebook page.
    #[must_use]
    pub fn proof(&self) -> &Secret {
        &self.proof
    }

    /// The kernel's public key for this ticket.
    #[must_use]
    pub fn kernel_key(&self) -> &PublicKey {
        &self.kernel_key
    }

    /// The OAuth client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the token request needs a client secret, which arrives sealed.
    #[must_use]
    pub fn client_secret_sealed(&self) -> bool {
        self.client_secret_sealed
    }

    /// The scopes to ask for.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Where the provider sends the popup back to, on the loopback listener.
    #[must_use]
    pub fn redirect_uri(&self) -> &EndpointUrl {
        &self.redirect_uri
    }

    /// The listener's start page.
    #[must_use]
    pub fn start_url(&self) -> String {
        self.redirect_uri.sibling("/tokentoss/start")
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

    /// What every sealed message of this ticket is bound to.
    #[must_use]
    pub fn binding(&self) -> Binding<'_> {
        Binding { ticket_id: &self.id, client_id: &self.client_id, issuer: self.provider.issuer() }
    }

    /// The nonce of one attempt: fresh by the page's salt, and the kernel's own by the ticket's
    /// nonce, so that the kernel can compute it again from the salt in the envelope.
    #[must_use]
    pub fn nonce_for(&self, salt: &str) -> String {
        let mut input = Vec::new();
        for part in [NONCE_LABEL, &self.nonce, salt] {
            // Longer than 64 KiB cannot be: both come from fixed numbers of random bytes.
            let _ = push_with_length(&mut input, part.as_bytes());
        }
        base64url::encode(&Sha256::digest(&input))
    }
}
