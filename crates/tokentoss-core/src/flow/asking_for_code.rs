//! This page asks for a user code, and meanwhile finds out whether it could fetch the tokens with it.

use core::time::Duration;

use super::asking_kernel::AskingKernel;
use super::context::Context;
use super::entering_code::EnteringCode;
use super::introducing::Introducing;
use super::state::{Event, State, Step};
use super::{Input, Output, Phase, RequestId, Status};
use crate::device_authorization::{self, DeviceAuthorization};
use crate::ticket::ExchangePlace;
use crate::timestamp::Timestamp;

/// How long the two answers may take, before the kernel is asked instead.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct AskingForCode {
    id: RequestId,
    /// The answer, and when it came.
    code: Option<(DeviceAuthorization, Timestamp)>,
    deadline: Timestamp,
}

impl AskingForCode {
    /// Asks for a new user code, or has the kernel ask where only it can.
    pub(super) fn begin(cx: &mut Context<'_>) -> State {
        let endpoint = cx.ticket.provider().device_authorization_endpoint();
        let Some(endpoint) = endpoint.filter(|_| can_fetch(cx) != Some(false)) else {
            return AskingKernel::begin(cx);
        };
        cx.probe_token_endpoint();
        let id = cx.send(device_authorization::request(cx.ticket, endpoint));
        cx.show(Status::phase(Phase::Code));
        State::AskingForCode(Self { id, code: None, deadline: cx.now + ANSWER_LIMIT })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.deadline = self.deadline.put_back(from, to);
        if let Some((_, received_at)) = &mut self.code {
            *received_at = received_at.put_back(from, to);
        }
    }

    pub(super) fn handle(mut self, event: Event, cx: &mut Context<'_>) -> Step {
        match event {
            Event::Input(Input::SignIn) => {
                State::AskingForCode(self).give_up(cx);
                return Introducing::begin(cx);
            }
            Event::Input(Input::Answered { request, answer }) if request == self.id => {
                if let Some(endpoint) = cx.ticket.provider().device_authorization_endpoint() {
                    self.code = Some((DeviceAuthorization::read(&answer, endpoint)?, cx.now));
                }
            }
            Event::Input(Input::Unanswered { request }) if request == self.id => {
                return Ok(leave_to_kernel(cx));
            }
            Event::Input(Input::TimerFired) if self.deadline <= cx.now => return Ok(leave_to_kernel(cx)),
            Event::Input(Input::Probed { .. }) => {}
            event => return State::AskingForCode(self).ignore(&event),
        }
        // The user must not be shown a code that then changes, so it must be sure that its tokens can be fetched.
        Ok(match (can_fetch(cx), self.code) {
            (Some(false), _) => leave_to_kernel(cx),
            (Some(true), Some((code, received_at))) => EnteringCode::begin(code, received_at, cx),
            (_, code) => State::AskingForCode(Self { code, ..self }),
        })
    }
}

/// Whether this page can fetch the tokens, as far as that is known: a secret does not come without a popup, and without ID
/// tokens only the kernel can find out who signed in.
fn can_fetch(cx: &Context<'_>) -> Option<bool> {
    let ticket = cx.ticket;
    if ticket.client_secret_sealed() || !ticket.provider().openid_connect() {
        return Some(false);
    }
    match ticket.exchange() {
        ExchangePlace::Auto => cx.shared.cors,
        ExchangePlace::Browser => Some(true),
        ExchangePlace::Kernel => Some(false),
    }
}

fn leave_to_kernel(cx: &mut Context<'_>) -> State {
    cx.output(Output::AbortRequest);
    AskingKernel::begin(cx)
}
