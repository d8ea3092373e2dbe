//! An authorization code that is deposited at a broker: neither page nor kernel redeems it, so neither gets a refresh token.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::authorization::AuthorizationRequest;
use crate::authorization_response::VerifiedCode;
use crate::endpoint::EndpointUrl;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::json::Object;
use crate::pkce::CodeVerifier;
use crate::sealing::{Binding, KeyPair, PublicKey, Purpose};
use crate::ticket::Ticket;

/// Where a ticket has its code deposited.
#[derive(Debug)]
pub struct DepositBox {
    /// The broker's key for this sign-in.
    pub key: PublicKey,
    /// The broker's name for this sign-in.
    pub authorization: String,
}

#[derive(Serialize)]
struct Written<'a> {
    code: &'a str,
    code_verifier: &'a str,
    redirect_uri: &'a str,
    salt: &'a str,
}

impl DepositBox {
    /// Seals the code to the broker, with all that its exchange needs.
    ///
    /// # Errors
    /// `sealing_failed` or `entropy_unavailable`.
    pub(crate) fn seal(
        &self,
        ticket: &Ticket,
        request: &AuthorizationRequest,
        code: &VerifiedCode,
        rng: &mut dyn Entropy,
    ) -> Result<String, Error> {
        let written = Written {
            code: code.expose(),
            code_verifier: request.verifier().expose(),
            redirect_uri: request.redirect_uri().as_str(),
            salt: request.salt(),
        };
        let plaintext: Zeroizing<Vec<u8>> =
            serde_json::to_vec(&written).map(Zeroizing::new).map_err(|_| ErrorCode::SealingFailed)?;
        self.key.seal(
            Purpose::Deposit,
            binding(&self.authorization, ticket.client_id(), ticket.provider().issuer()),
            &plaintext,
            rng,
        )
    }
}

/// A code that was deposited, as the broker reads it.
#[derive(Debug)]
pub struct Deposit {
    /// The authorization code.
    pub code: VerifiedCode,
    /// Its verifier.
    pub verifier: CodeVerifier,
    /// Where the provider sent it to.
    pub redirect_uri: EndpointUrl,
    /// What the nonce was made with.
    pub salt: String,
}

impl Deposit {
    /// Opens a deposit; none if it was sealed for another sign-in, or is damaged.
    #[must_use]
    pub fn open(
        key: &KeyPair,
        authorization: &str,
        client_id: &str,
        issuer: &str,
        sealed: &str,
    ) -> Option<Self> {
        let plaintext = key.open(Purpose::Deposit, binding(authorization, client_id, issuer), sealed)?;
        let mut members = Object::read(core::str::from_utf8(&plaintext).ok()?).ok()?;
        let mut text = |name| members.secret(name).filter(|text| !text.expose().is_empty());
        let (code, verifier) = (text("code")?, text("code_verifier")?);
        let (redirect_uri, salt) = (text("redirect_uri")?, text("salt")?);
        members.check().ok()?;
        Some(Self {
            code: VerifiedCode::deposited(code),
            verifier: CodeVerifier::stored(verifier),
            redirect_uri: EndpointUrl::parse(redirect_uri.expose()).ok()?,
            salt: salt.expose().into(),
        })
    }
}

fn binding<'a>(authorization: &'a str, client_id: &'a str, issuer: &'a str) -> Binding<'a> {
    Binding { ticket_id: authorization, client_id, issuer }
}
