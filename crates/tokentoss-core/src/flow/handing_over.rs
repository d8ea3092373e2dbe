//! The sealed tokens, or the sealed code, are on their way to the kernel, by two ways, until it acknowledges them.

use alloc::string::String;
use core::time::Duration;

use super::{Context, FromPopup, Halt, Input, Output, Phase, State, Status, Step, WindowId};
use crate::error::ErrorCode;
use crate::message::ToPopup;
use crate::timestamp::Timestamp;

/// The first wait before the envelope is sent again; it doubles each time.
const FIRST_RESEND: Duration = Duration::from_secs(2);
/// The longest wait before the envelope is sent again.
const LONGEST_RESEND: Duration = Duration::from_secs(30);
/// How long a busy kernel is waited for: as long as an access token usually lives.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(3600);
/// The same for a code, which lives ten minutes at most (RFC 6749 section 4.1.2).
const CODE_LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct HandingOver {
    envelope: String,
    resend_at: Timestamp,
    interval: Duration,
    deadline: Timestamp,
}

impl HandingOver {
    pub(super) fn begin<R: ?Sized>(
        envelope: String,
        callback_page: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> State {
        Self::send(envelope, callback_page, HAND_OVER_LIMIT, context)
    }

    pub(super) fn begin_with_code<R: ?Sized>(
        envelope: String,
        callback_page: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> State {
        Self::send(envelope, callback_page, CODE_LIMIT, context)
    }

    fn send<R: ?Sized>(
        envelope: String,
        callback_page: Option<WindowId>,
        limit: Duration,
        context: &mut Context<'_, R>,
    ) -> State {
        if let Some(window) = callback_page {
            context.post(window, &ToPopup::Envelope { sealed: &envelope });
        }
        context.outputs.push_back(Output::Deliver { envelope: envelope.clone() });
        context.show(Status::phase(Phase::HandingOver));
        State::HandingOver(Self {
            envelope,
            resend_at: context.now + FIRST_RESEND,
            interval: FIRST_RESEND,
            deadline: context.now + limit,
        })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.resend_at.min(self.deadline))
    }

    pub(super) fn handle<R: ?Sized>(mut self, input: Input, context: &mut Context<'_, R>) -> Step {
        match input {
            Input::TimerFired if self.deadline <= context.now => {
                return Err(Halt::Failed(ErrorCode::HandOverTimedOut.into()));
            }
            Input::TimerFired if self.resend_at <= context.now => {
                self.interval = (self.interval * 2).min(LONGEST_RESEND);
                self.resend_at = context.now + self.interval;
                context.outputs.push_back(Output::Deliver { envelope: self.envelope.clone() });
            }
            Input::Relayed { .. } | Input::Broadcast { .. } => {
                return State::HandingOver(self).dropping(ErrorCode::StateMismatch.into());
            }
            _ => {}
        }
        Ok(State::HandingOver(self))
    }

    pub(super) fn handle_message<R: ?Sized>(self, message: &FromPopup, context: &mut Context<'_, R>) -> Step {
        match message {
            FromPopup::Delivered { code } if code.is_empty() => {
                context.dismiss_windows();
                context.show(Status::phase(Phase::Done));
                Ok(State::Spent)
            }
            // The kernel's reason comes with its acknowledgement.
            FromPopup::Delivered { .. } => Ok(State::HandingOver(self)),
            _ => State::HandingOver(self).dropping(ErrorCode::StateMismatch.into()),
        }
    }
}
