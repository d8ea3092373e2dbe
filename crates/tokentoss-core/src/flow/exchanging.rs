//! The authorization code is redeemed, once: by this page's token request, or by the kernel.

use core::time::Duration;

use super::attempt::Attempt;
use super::context::Context;
use super::handing_over::HandingOver;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Phase, RequestId, Status, Way, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::authorization_response::VerifiedCode;
use crate::envelope;
use crate::error::{Error, ErrorCode};
use crate::form_request::EndpointAnswer;
use crate::id_token::check_claims;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::ticket::ExchangePlace;
use crate::timestamp::Timestamp;
use crate::token_endpoint::{self, TokenResponse};

/// How long the token endpoint may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Exchanging {
    request: AuthorizationRequest,
    proof: Option<Secret>,
    id: RequestId,
    /// The callback page, which can carry the envelope to the listener.
    callback_page: Option<WindowId>,
    deadline: Timestamp,
}

impl Exchanging {
    /// Has the authorization code exchanged, by the page or by the kernel. `callback_page` is the window that it came from.
    pub(super) fn begin(
        attempt: Attempt,
        code: &VerifiedCode,
        callback_page: Option<WindowId>,
        cx: &mut Context<'_>,
    ) -> Step {
        let ticket = cx.ticket;
        attempt.check_client_secret(ticket)?;
        if cx.shared.way == Way::CallbackPage {
            // A static page can do nothing more.
            cx.dismiss_windows();
        }
        let callback_page = callback_page.filter(|_| cx.shared.way != Way::CallbackPage);
        let by_page = match ticket.exchange() {
            ExchangePlace::Browser => true,
            ExchangePlace::Kernel => false,
            ExchangePlace::Auto => cx.shared.cors == Some(true) && attempt.can_authenticate(ticket),
        };
        if !by_page || !ticket.provider().openid_connect() || ticket.deposit_key().is_some() {
            let plaintext =
                envelope::write_code(ticket, &attempt.request, attempt.proof.as_ref(), code, cx.now, cx.rng)?;
            let sealed = ticket.kernel_key().seal(Purpose::Code, ticket.binding(), &plaintext, cx.rng)?;
            return Ok(HandingOver::begin_with_code(sealed, callback_page, cx));
        }
        let form = token_endpoint::code_exchange(
            ticket.client(),
            code,
            attempt.request.redirect_uri(),
            attempt.request.verifier(),
            attempt.client_secret.as_ref(),
        );
        let id = cx.send(form);
        cx.show(Status::phase(Phase::SigningIn));
        let deadline = cx.now + ANSWER_LIMIT;
        Ok(State::Exchanging(Self {
            request: attempt.request,
            proof: attempt.proof,
            id,
            callback_page,
            deadline,
        }))
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.deadline = self.deadline.put_back(from, to);
    }

    pub(super) fn handle(self, event: Event, cx: &mut Context<'_>) -> Step {
        match event {
            Event::Input(Input::Answered { request, answer }) if request == self.id => {
                self.hand_over(&answer, cx)
            }
            Event::Input(Input::Unanswered { request }) if request == self.id => Err(unreachable(cx)),
            Event::Input(Input::TimerFired) if self.deadline <= cx.now => {
                cx.output(Output::AbortRequest);
                Err(unreachable(cx))
            }
            // A second callback, for instance.
            event => State::Exchanging(self).ignore(&event),
        }
    }

    fn hand_over(self, answer: &EndpointAnswer, cx: &mut Context<'_>) -> Step {
        let ticket = cx.ticket;
        let tokens =
            TokenResponse::read(answer, ticket.provider().token_endpoint(), ticket.client().scopes())?;
        let tokens = check_claims(tokens, ticket.client(), Some(self.request.nonce()), cx.now)?;
        let plaintext =
            envelope::write(ticket, Some(self.request.salt()), self.proof.as_ref(), &tokens, cx.now)?;
        let sealed = ticket.kernel_key().seal(Purpose::Tokens, ticket.binding(), &plaintext, cx.rng)?;
        Ok(HandingOver::begin(sealed, self.callback_page, cx))
    }
}

fn unreachable(cx: &Context<'_>) -> Halt {
    let endpoint = cx.ticket.provider().token_endpoint().authority();
    Halt::Failed(Error::about(ErrorCode::TokenEndpointUnreachable, endpoint))
}
