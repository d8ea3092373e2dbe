//! An authorization code that is deposited at a broker: neither page nor kernel redeems it, so neither gets a refresh token.

use alloc::string::String;

use crate::authorization_response::VerifiedCode;
use crate::endpoint::EndpointUrl;
use crate::json::Object;
use crate::pkce::CodeVerifier;
use crate::sealing::{Binding, KeyPair, Purpose};

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
        let plaintext =
            key.open(Purpose::Deposit, Binding { ticket_id: authorization, client_id, issuer }, sealed)?;
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
