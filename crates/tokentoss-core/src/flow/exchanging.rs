//! The code is on its way to the token endpoint, once.

use core::time::Duration;

use rand_core::TryCryptoRng;

use super::{Context, Halt, HandingOver, Input, Output, Phase, RequestId, State, Status, Step, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::callback::VerifiedCode;
use crate::envelope;
use crate::error::{Error, ErrorCode};
use crate::id_token::check_claims;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::token_endpoint::{TokenEndpointAnswer, TokenRequest, TokenResponse};

/// How long the token endpoint may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Exchanging {
    request: AuthorizationRequest,
    id: RequestId,
    /// The callback page, which can carry the envelope to the listener.
    callback_page: Option<WindowId>,
    deadline: Timestamp,
}

impl Exchanging {
    pub(super) fn begin<R: ?Sized>(
        request: AuthorizationRequest,
        code: &VerifiedCode,
        client_secret: Option<&Secret>,
        callback_page: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> State {
        let id = context.send(TokenRequest::new(context.ticket, &request, code, client_secret));
        context.show(Status::phase(Phase::SigningIn));
        State::Exchanging(Self { request, id, callback_page, deadline: context.now + ANSWER_LIMIT })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    pub(super) fn handle<R: TryCryptoRng + ?Sized>(self, input: Input, context: &mut Context<'_, R>) -> Step {
        match input {
            Input::Answered { request, answer } if request == self.id => self.handle_answer(&answer, context),
            Input::Unanswered { request } if request == self.id => Err(unreachable(context)),
            Input::TimerFired if self.deadline <= context.now => {
                context.outputs.push_back(Output::AbortExchange);
                Err(unreachable(context))
            }
            Input::Relayed { .. } | Input::Broadcast { .. } => {
                State::Exchanging(self).dropping(ErrorCode::StateMismatch.into())
            }
            _ => Ok(State::Exchanging(self)),
        }
    }

    fn handle_answer<R: TryCryptoRng + ?Sized>(
        self,
        answer: &TokenEndpointAnswer,
        context: &mut Context<'_, R>,
    ) -> Step {
        let ticket = context.ticket;
        let endpoint = ticket.provider().token_endpoint();
        let tokens = TokenResponse::read(answer, endpoint, ticket.scopes())?;
        check_claims(
            &tokens.id_token,
            ticket,
            Some(self.request.nonce()),
            &tokens.access_token,
            context.now,
        )?;
        let plaintext = envelope::write(ticket, Some(self.request.salt()), &tokens, context.now)?;
        let sealed = ticket.kernel_key().seal(Purpose::Tokens, ticket.binding(), &plaintext, context.rng)?;
        Ok(HandingOver::begin(sealed, self.callback_page, context))
    }
}

fn unreachable<R: ?Sized>(context: &Context<'_, R>) -> Halt {
    let endpoint = context.ticket.provider().token_endpoint().authority();
    Halt::Failed(Error::about(ErrorCode::TokenEndpointUnreachable, endpoint))
}
