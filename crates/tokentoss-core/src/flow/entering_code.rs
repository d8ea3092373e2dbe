//! The user enters the user code on some device; the token endpoint is polled until it was entered, declined or too old.

use alloc::borrow::ToOwned;
use core::time::Duration;

use super::context::Context;
use super::handing_over::HandingOver;
use super::introducing::Introducing;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Phase, RequestId, ShownCode, Status};
use crate::device_authorization::{self, DeviceAuthorization, Polling};
use crate::envelope;
use crate::error::ErrorCode;
use crate::form_request::EndpointAnswer;
use crate::id_token::check_claims;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::token_endpoint::TokenResponse;

/// How long the token endpoint may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct EnteringCode {
    shown: ShownCode,
    device_code: Secret,
    polling: Polling,
    poll: Poll,
    ends_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum Poll {
    /// The next one is due at this moment.
    Due(Timestamp),
    /// One is under way, and is given up at this moment.
    UnderWay(RequestId, Timestamp),
}

impl EnteringCode {
    pub(super) fn begin(code: DeviceAuthorization, received_at: Timestamp, cx: &mut Context<'_>) -> State {
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
            poll: Poll::Due(cx.now + polling.pause()),
            polling,
            ends_at,
        };
        entering.show(cx);
        State::EnteringCode(entering)
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(match self.poll {
            Poll::Due(due) => due.min(self.ends_at),
            Poll::UnderWay(_, given_up_at) => given_up_at,
        })
    }

    pub(super) fn handle(mut self, event: Event, cx: &mut Context<'_>) -> Step {
        if let Event::Input(Input::SignIn) = event {
            State::EnteringCode(self).give_up(cx);
            return Introducing::begin(cx);
        }
        match (self.poll, event) {
            (Poll::UnderWay(id, _), Event::Input(Input::Answered { request, answer })) if request == id => {
                self.take(Some(&answer), cx)
            }
            (Poll::UnderWay(id, _), Event::Input(Input::Unanswered { request })) if request == id => {
                self.take(None, cx)
            }
            (Poll::UnderWay(_, given_up_at), Event::Input(Input::TimerFired)) if given_up_at <= cx.now => {
                cx.output(Output::AbortRequest);
                self.take(None, cx)
            }
            (Poll::Due(_), Event::Input(Input::TimerFired)) if self.ends_at <= cx.now => {
                Err(Halt::Failed(ErrorCode::ExpiredToken.into()))
            }
            (Poll::Due(due), Event::Input(Input::TimerFired)) if due <= cx.now => {
                let id = cx.send(device_authorization::poll(cx.ticket, &self.device_code));
                self.poll = Poll::UnderWay(id, cx.now + ANSWER_LIMIT);
                Ok(State::EnteringCode(self))
            }
            (_, event) => State::EnteringCode(self).ignore(&event),
        }
    }

    fn take(mut self, answer: Option<&EndpointAnswer>, cx: &mut Context<'_>) -> Step {
        match self.polling.take(answer, cx.ticket) {
            Ok(Some(tokens)) => hand_over(tokens, cx),
            Ok(None) => {
                self.poll = Poll::Due(cx.now + self.polling.pause());
                Ok(State::EnteringCode(self))
            }
            // A provider's own word for its reason may be anything, but not the device code.
            Err(error) if error.is_about().is_some_and(|word| self.device_code.matches(word.as_str())) => {
                Err(Halt::Failed(error.code().into()))
            }
            Err(error) => Err(Halt::Failed(error)),
        }
    }

    /// A clock that was put back must neither stop the polling nor lengthen the code's life.
    pub(super) fn put_back(&mut self, from: Timestamp, cx: &mut Context<'_>) {
        let (Poll::Due(due) | Poll::UnderWay(_, due)) = &mut self.poll;
        *due = due.put_back(from, cx.now);
        self.ends_at = self.ends_at.put_back(from, cx.now);
        self.shown.expires_at = self.ends_at.as_secs();
        self.show(cx);
    }

    fn show(&self, cx: &mut Context<'_>) {
        cx.show(Status { code: Some(self.shown.clone()), ..Status::phase(Phase::Code) });
    }
}

fn hand_over(tokens: TokenResponse, cx: &mut Context<'_>) -> Step {
    let ticket = cx.ticket;
    // This grant has no nonce: the device code, which only this page knows, binds the answer.
    let tokens = check_claims(tokens, ticket.client(), None, cx.now)?;
    let plaintext = envelope::write(ticket, None, None, &tokens, cx.now)?;
    let sealed = ticket.kernel_key().seal(Purpose::DeviceTokens, ticket.binding(), &plaintext, cx.rng)?;
    Ok(HandingOver::begin(sealed, None, cx))
}
