//! The sign-in ticket: everything a click may depend on, published by the kernel beforehand.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::base64url;
use crate::client::Client;
use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::provider::{Provider, ProviderData};
use crate::sealing::{Binding, PublicKey, push_with_length};
use crate::text::Text;

const VERSION: u64 = 2;
const NONCE_LABEL: &str = "tokentoss/nonce/1";

/// A ticket before it is checked, as it stands in the widget's trait. Members that are not named here are not looked at.
#[derive(Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct TicketData {
    /// Of this layout: 2.
    version: u64,
    /// Names the ticket in messages.
    id: Text,
    /// What the kernel computes the nonce of each attempt from.
    nonce: Text,
    /// The kernel's X25519 key for this ticket, in base64url.
    public_key: Text,
    /// The OAuth client.
    client_id: Text,
    /// Whether the token request needs a client secret, which arrives sealed.
    #[serde(default)]
    client_secret_sealed: bool,
    /// The scopes to ask for.
    #[serde(default)]
    scopes: Vec<Text>,
    /// An address of the kernel's listener on loopback, if it has one.
    #[serde(default)]
    redirect_uri: Option<Text>,
    /// Static pages that are registered for the client.
    #[serde(default)]
    callback_pages: Vec<Text>,
    /// Whether the kernel knows that it runs on another machine than the browser.
    #[serde(default)]
    remote_kernel: bool,
    /// Who may exchange the authorization code; `auto` where it is missing.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", tsify(type = "\"auto\" | \"browser\" | \"kernel\" | null"))]
    exchange: Option<Text>,
    /// The provider.
    provider: ProviderData,
    /// The organisation that the account must belong to.
    #[serde(default)]
    hosted_domain: Option<Text>,
    /// The account to suggest.
    #[serde(default)]
    login_hint: Option<Text>,
    /// The key of a broker that the authorization code is deposited at, if neither page nor kernel redeems it; X25519, in
    /// base64url.
    #[serde(default)]
    deposit_key: Option<Text>,
}

/// Who may exchange the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangePlace {
    /// The page where it can, the kernel otherwise.
    Auto,
    /// The page.
    Browser,
    /// The kernel.
    Kernel,
}

impl ExchangePlace {
    fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("auto") => Some(Self::Auto),
            Some("browser") => Some(Self::Browser),
            Some("kernel") => Some(Self::Kernel),
            Some(_) => None,
        }
    }
}

/// A static page that takes the provider's answer.
#[derive(Debug)]
pub struct CallbackPage {
    /// Its address.
    pub url: EndpointUrl,
    /// Whether it is of the notebook page's own origin, so that a broadcast reaches the page without an opener.
    pub same_origin: bool,
}

/// A ticket that was checked: whatever it holds can be used as it stands.
#[derive(Debug)]
pub struct Ticket {
    id: String,
    page_origin: String,
    nonce: String,
    kernel_key: PublicKey,
    client: Client,
    client_secret_sealed: bool,
    redirect_uri: Option<EndpointUrl>,
    callback_page: Option<CallbackPage>,
    remote_kernel: bool,
    exchange: ExchangePlace,
    deposit_key: Option<PublicKey>,
}

impl Ticket {
    /// Reads a ticket from JSON, then checks it.
    ///
    /// # Errors
    /// `ticket_invalid` when it is malformed, and what [`Ticket::check`] refuses.
    pub fn from_json(json: &str, page_origin: &str) -> Result<Self, Error> {
        let data = serde_json::from_str(json).map_err(|_| Self::malformed())?;
        Self::check(data, page_origin)
    }

    /// The error for a ticket that cannot be read at all.
    #[must_use]
    pub fn malformed() -> Error {
        Error::about(ErrorCode::TicketInvalid, "the ticket is malformed")
    }

    /// Checks a ticket for a notebook page of this origin; an origin that is not a browser's, such as that of a webview, gets
    /// no start page, because what opens there is another browser.
    ///
    /// # Errors
    /// `ticket_invalid` with what is wrong, and what [`Provider::check`] refuses;
    /// `scope_openid_missing` without the scope `openid` (OpenID Connect Core 3.1.2.1).
    pub fn check(data: TicketData, page_origin: &str) -> Result<Self, Error> {
        let invalid = |what: &str| Error::about(ErrorCode::TicketInvalid, what);
        if data.version != VERSION {
            return Err(invalid("the ticket is of another version"));
        }
        if data.id.is_empty() || data.client_id.is_empty() || data.nonce.is_empty() {
            return Err(invalid("the ticket is incomplete"));
        }
        let provider = Provider::check(data.provider)?;
        let exchange =
            ExchangePlace::named(data.exchange.as_deref()).ok_or_else(|| invalid("the exchange"))?;
        let deposit_key = match data.deposit_key.as_deref() {
            None => None,
            Some(key) => Some(PublicKey::from_base64url(key).ok_or_else(|| invalid("the exchange"))?),
        };
        let without_tokens = !provider.openid_connect() && exchange == ExchangePlace::Browser;
        // By a user code the page would get the tokens after all.
        let beside_deposit = deposit_key.is_some() && provider.device_authorization_endpoint().is_some();
        if without_tokens || beside_deposit {
            return Err(invalid("the exchange"));
        }
        let scopes = data.scopes.into_iter().map(String::from).collect();
        let (domain, hint) = (data.hosted_domain.map(String::from), data.login_hint.map(String::from));
        let client = Client::new(data.client_id.into(), scopes, provider, domain, hint)?;
        let redirect_uri = data.redirect_uri.as_deref().map(EndpointUrl::parse).transpose()?;
        if redirect_uri.as_ref().is_some_and(|uri| !uri.is_loopback() || !uri.query().is_empty()) {
            return Err(invalid("the redirect address"));
        }
        let callback_page = callback_page(&data.callback_pages, page_origin)?;
        if redirect_uri.is_none() && callback_page.is_none() {
            return Err(invalid("the redirect address"));
        }
        Ok(Self {
            kernel_key: PublicKey::from_base64url(&data.public_key)
                .ok_or_else(|| invalid("the kernel key"))?,
            client,
            redirect_uri,
            callback_page,
            page_origin: String::from(page_origin),
            remote_kernel: data.remote_kernel,
            exchange,
            id: data.id.into(),
            nonce: data.nonce.into(),
            client_secret_sealed: data.client_secret_sealed,
            deposit_key,
        })
    }

    /// The ticket's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin of the notebook page.
    #[must_use]
    pub fn page_origin(&self) -> &str {
        &self.page_origin
    }

    /// The kernel's public key for this ticket.
    #[must_use]
    pub fn kernel_key(&self) -> &PublicKey {
        &self.kernel_key
    }

    /// The OAuth client at its provider.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.client.client_id()
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        self.client.provider()
    }

    /// Whether the page redeems the code with a client secret, which arrives sealed.
    #[must_use]
    pub fn client_secret_sealed(&self) -> bool {
        self.client_secret_sealed
    }

    /// Where the provider sends the popup back to, on the loopback listener, if there is one.
    #[must_use]
    pub fn redirect_uri(&self) -> Option<&EndpointUrl> {
        self.redirect_uri.as_ref()
    }

    /// The callback page to use, if there is one.
    #[must_use]
    pub fn callback_page(&self) -> Option<&CallbackPage> {
        self.callback_page.as_ref()
    }

    /// Whether a start page of the kernel's listener is of use: the kernel may run on the browser's machine, and what this
    /// page opens can answer it.
    #[must_use]
    pub fn start_page_of_use(&self) -> bool {
        self.redirect_uri.is_some() && !self.remote_kernel && self.page_origin.starts_with("http")
    }

    /// Who may exchange the code.
    #[must_use]
    pub fn exchange(&self) -> ExchangePlace {
        self.exchange
    }

    /// The key of the broker that the authorization code is deposited at, if neither page nor kernel redeems it. The broker knows
    /// the sign-in by the ticket's identifier.
    #[must_use]
    pub fn deposit_key(&self) -> Option<&PublicKey> {
        self.deposit_key.as_ref()
    }

    /// What every sealed message of this ticket is bound to.
    #[must_use]
    pub fn binding(&self) -> Binding<'_> {
        Binding { ticket_id: &self.id, client_id: self.client_id(), issuer: self.provider().issuer() }
    }

    /// The nonce of one attempt: fresh by the page's salt, and the kernel's own by the ticket's
    /// nonce, so that the kernel can compute it again from the salt in the envelope.
    #[must_use]
    pub fn nonce_for(&self, salt: &str) -> String {
        nonce_for(&self.nonce, salt)
    }
}

/// The nonce of an attempt with this salt, for a ticket with this nonce.
#[must_use]
pub fn nonce_for(ticket_nonce: &str, salt: &str) -> String {
    let mut input = Vec::new();
    for part in [NONCE_LABEL, ticket_nonce, salt] {
        // Longer than 64 KiB cannot be: both come from fixed numbers of random bytes.
        let _ = push_with_length(&mut input, part.as_bytes());
    }
    base64url::encode(&Sha256::digest(&input))
}

/// The first page of this origin, else the first; all must be fit for a code to be sent to.
fn callback_page(addresses: &[Text], page_origin: &str) -> Result<Option<CallbackPage>, Error> {
    let mut chosen: Option<CallbackPage> = None;
    for address in addresses {
        let url = EndpointUrl::parse_for(address, page_origin)?;
        if !url.query().is_empty() {
            return Err(Error::about(ErrorCode::TicketInvalid, "the redirect address"));
        }
        let same_origin = url.origin() == page_origin;
        if chosen.as_ref().is_none_or(|page| same_origin && !page.same_origin) {
            chosen = Some(CallbackPage { url, same_origin });
        }
    }
    Ok(chosen)
}
