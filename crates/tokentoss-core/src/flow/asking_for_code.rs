//! A code for another device is asked for, and meanwhile whether this page could fetch the tokens with it.

use core::time::Duration;

use super::{AskingKernel, Context, EnteringCode, Input, Output, Phase, RequestId, State, Status, Step};
use crate::device_authorization::DeviceAuthorization;
use crate::ticket::ExchangePlace;
use crate::timestamp::Timestamp;
use crate::token_endpoint::TokenRequest;

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
    /// Asks for a new code, or has the kernel ask where only it can.
    pub(super) fn begin<R: ?Sized>(context: &mut Context<'_, R>) -> State {
        let endpoint = context.ticket.provider().device_authorization_endpoint();
        let Some(endpoint) = endpoint.filter(|_| can_fetch(context) != Some(false)) else {
            return AskingKernel::begin(context);
        };
        context.probe_token_endpoint();
        let id = context.send(TokenRequest::device_authorization(context.ticket, endpoint));
        context.show(Status::phase(Phase::Code));
        State::AskingForCode(Self { id, code: None, deadline: context.now + ANSWER_LIMIT })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    pub(super) fn handle<R: ?Sized>(mut self, input: Input, context: &mut Context<'_, R>) -> Step {
        match input {
            Input::Answered { request, answer } if request == self.id => {
                if let Some(endpoint) = context.ticket.provider().device_authorization_endpoint() {
                    self.code = Some((DeviceAuthorization::read(&answer, endpoint)?, context.now));
                }
            }
            Input::Unanswered { request } if request == self.id => return Ok(leave_to_kernel(context)),
            Input::TimerFired if self.deadline <= context.now => return Ok(leave_to_kernel(context)),
            _ => {}
        }
        Ok(self.go_on(context))
    }

    /// Shows the code once it is sure that its tokens can be fetched: the user must not be shown one that then changes.
    pub(super) fn go_on<R: ?Sized>(self, context: &mut Context<'_, R>) -> State {
        match (can_fetch(context), self.code) {
            (Some(false), _) => leave_to_kernel(context),
            (Some(true), Some((code, received_at))) => EnteringCode::begin(code, received_at, context),
            (_, code) => State::AskingForCode(Self { code, ..self }),
        }
    }
}

/// Whether this page can fetch the tokens, as far as that is known: a secret does not come without a popup, and without ID
/// tokens only the kernel can find out who signed in.
fn can_fetch<R: ?Sized>(context: &Context<'_, R>) -> Option<bool> {
    let ticket = context.ticket;
    if ticket.client_secret_sealed() || !ticket.provider().openid_connect() {
        return Some(false);
    }
    match ticket.exchange() {
        ExchangePlace::Auto => *context.cors,
        ExchangePlace::Browser => Some(true),
        ExchangePlace::Kernel => Some(false),
    }
}

fn leave_to_kernel<R: ?Sized>(context: &mut Context<'_, R>) -> State {
    context.outputs.push_back(Output::AbortExchange);
    AskingKernel::begin(context)
}
