//! What one attempt owns from the click to the token request.

use rand_core::TryCryptoRng;

use super::{Context, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::error::Error;
use crate::message::ToPopup;
use crate::sealing::KeyPair;

/// One attempt's secrets.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: AuthorizationRequest,
    pub(super) keys: KeyPair,
}

impl Attempt {
    pub(super) fn new<R: TryCryptoRng + ?Sized>(context: &mut Context<'_, R>) -> Result<Self, Error> {
        Ok(Self {
            request: AuthorizationRequest::new(context.ticket, context.rng)?,
            keys: KeyPair::generate(context.rng)?,
        })
    }

    /// Answers a start page that has introduced itself.
    pub(super) fn answer_start_page<R: ?Sized>(&self, window: WindowId, context: &mut Context<'_, R>) {
        let ticket = context.ticket;
        let start = ToPopup::Start {
            ticket: ticket.id(),
            proof: ticket.proof().expose(),
            url: self.request.url(),
            key: self.keys.public().to_base64url(),
        };
        context.post(window, &start);
    }
}
