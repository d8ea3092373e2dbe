//! The user enters the code on some device; the token endpoint is polled until it was entered, declined or too old.

use alloc::borrow::ToOwned;
use core::time::Duration;

use rand_core::TryCryptoRng;

use super::{Context, Halt, HandingOver, Input, Output, Phase, RequestId, ShownCode, State, Status, Step};
use crate::device_authorization::{DeviceAuthorization, Polling};
use crate::envelope;
use crate::error::ErrorCode;
use crate::id_token::check_claims;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::token_endpoint::{TokenEndpointAnswer, TokenRequest, TokenResponse};

/// How long the token endpoint may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct EnteringCode {
    shown: ShownCode,
    device_code: Secret,
    polling: Polling,
    /// The poll that is under way.
    poll: Option<RequestId>,
    /// When the next poll is due, or the one under way is given up.
    due: Timestamp,
    ends_at: Timestamp,
    /// When the clock was looked at last.
    seen: Timestamp,
}

impl EnteringCode {
    pub(super) fn begin<R: ?Sized>(
        code: DeviceAuthorization,
        received_at: Timestamp,
        context: &mut Context<'_, R>,
    ) -> State {
        let polling = Polling::new(code.interval);
        let ends_at = received_at + code.expires_in;
        let page = code.complete.as_ref().unwrap_or(&code.verification_uri);
        let entering = Self {
            shown: ShownCode {
                user_code: code.user_code,
                verification_uri: code.verification_uri.as_str().to_owned(),
                page: page.as_str().to_owned(),
                expires_at: ends_at.as_secs(),
            },
            device_code: code.device_code,
            due: context.now + polling.pause(),
            polling,
            poll: None,
            ends_at,
            seen: context.now,
        };
        entering.show(context);
        State::EnteringCode(entering)
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(if self.poll.is_some() { self.due } else { self.due.min(self.ends_at) })
    }

    pub(super) fn handle<R: TryCryptoRng + ?Sized>(
        mut self,
        input: Input,
        context: &mut Context<'_, R>,
    ) -> Step {
        self.follow_clock(context);
        match input {
            Input::Answered { request, answer } if self.poll == Some(request) => {
                return self.take(Some(&answer), context);
            }
            Input::Unanswered { request } if self.poll == Some(request) => return self.take(None, context),
            Input::TimerFired if self.poll.is_some() && self.due <= context.now => {
                context.outputs.push_back(Output::AbortExchange);
                return self.take(None, context);
            }
            Input::TimerFired if self.poll.is_none() && self.ends_at <= context.now => {
                return Err(Halt::Failed(ErrorCode::ExpiredToken.into()));
            }
            Input::TimerFired if self.poll.is_none() && self.due <= context.now => {
                self.poll = Some(context.send(TokenRequest::poll(context.ticket, &self.device_code)));
                self.due = context.now + ANSWER_LIMIT;
            }
            _ => {}
        }
        Ok(State::EnteringCode(self))
    }

    fn take<R: TryCryptoRng + ?Sized>(
        mut self,
        answer: Option<&TokenEndpointAnswer>,
        context: &mut Context<'_, R>,
    ) -> Step {
        self.poll = None;
        match self.polling.take(answer, context.ticket) {
            Ok(Some(tokens)) => hand_over(&tokens, context),
            Ok(None) => {
                self.due = context.now + self.polling.pause();
                Ok(State::EnteringCode(self))
            }
            // A provider's own word for its reason may be anything, but not the device code.
            Err(error) if error.subject().is_some_and(|word| self.device_code.matches(word.as_str())) => {
                Err(Halt::Failed(error.code().into()))
            }
            Err(error) => Err(Halt::Failed(error)),
        }
    }

    /// A clock that was put back must neither stop the polling nor lengthen the code's life.
    fn follow_clock<R: ?Sized>(&mut self, context: &mut Context<'_, R>) {
        self.due = self.due.put_back(self.seen, context.now);
        self.ends_at = self.ends_at.put_back(self.seen, context.now);
        self.seen = context.now;
        self.shown.expires_at = self.ends_at.as_secs();
        // Says nothing unless that changed.
        self.show(context);
    }

    fn show<R: ?Sized>(&self, context: &mut Context<'_, R>) {
        context.show(Status { code: Some(self.shown.clone()), ..Status::phase(Phase::Code) });
    }
}

fn hand_over<R: TryCryptoRng + ?Sized>(tokens: &TokenResponse, context: &mut Context<'_, R>) -> Step {
    let ticket = context.ticket;
    // This grant has no nonce: the device code, which only this page knows, binds the answer.
    check_claims(&tokens.id_token, ticket, None, &tokens.access_token, context.now)?;
    let plaintext = envelope::write(ticket, None, tokens, context.now)?;
    let key = ticket.kernel_key();
    let sealed = key.seal(Purpose::DeviceTokens, ticket.binding(), &plaintext, context.rng)?;
    Ok(HandingOver::begin(sealed, None, context))
}
