//! The sealed tokens, or the sealed authorization code, are on their way to the kernel, by two ways, until it acknowledges them.

use alloc::string::String;
use core::time::Duration;

use super::context::Context;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Phase, Status, WindowId};
use crate::error::ErrorCode;
use crate::message::{FromPopup, ToPopup};
use crate::timestamp::Timestamp;

/// The first wait before the envelope is sent again; it doubles each time.
const FIRST_RESEND: Duration = Duration::from_secs(2);
/// The longest wait before the envelope is sent again.
const LONGEST_RESEND: Duration = Duration::from_secs(30);
/// How long a busy kernel is waited for: as long as an access token usually lives.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(3600);
/// The same for an authorization code, which lives ten minutes at most (RFC 6749 section 4.1.2).
const CODE_LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct HandingOver {
    envelope: String,
    resend_at: Timestamp,
    interval: Duration,
    deadline: Timestamp,
}

impl HandingOver {
    pub(super) fn begin(envelope: String, callback_page: Option<WindowId>, cx: &mut Context<'_>) -> State {
        Self::send(envelope, callback_page, HAND_OVER_LIMIT, cx)
    }

    pub(super) fn begin_with_code(
        envelope: String,
        callback_page: Option<WindowId>,
        cx: &mut Context<'_>,
    ) -> State {
        Self::send(envelope, callback_page, CODE_LIMIT, cx)
    }

    fn send(
        envelope: String,
        callback_page: Option<WindowId>,
        limit: Duration,
        cx: &mut Context<'_>,
    ) -> State {
        if let Some(window) = callback_page {
            cx.post(window, &ToPopup::Envelope { sealed: &envelope });
        }
        cx.output(Output::Deliver { envelope: envelope.clone() });
        cx.show(Status::phase(Phase::HandingOver));
        State::HandingOver(Self {
            envelope,
            resend_at: cx.now + FIRST_RESEND,
            interval: FIRST_RESEND,
            deadline: cx.now + limit,
        })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.resend_at.min(self.deadline))
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.resend_at = self.resend_at.put_back(from, to);
        self.deadline = self.deadline.put_back(from, to);
    }

    pub(super) fn handle(mut self, event: Event, cx: &mut Context<'_>) -> Step {
        match event {
            Event::Message(_, FromPopup::Delivered { code }) if code.is_empty() => {
                cx.dismiss_windows();
                cx.show(Status::phase(Phase::Done));
                Ok(State::Spent)
            }
            // The kernel's reason comes with its acknowledgement.
            Event::Message(_, FromPopup::Delivered { .. }) => Ok(State::HandingOver(self)),
            Event::Input(Input::TimerFired) if self.deadline <= cx.now => {
                Err(Halt::Failed(ErrorCode::HandOverTimedOut.into()))
            }
            Event::Input(Input::TimerFired) if self.resend_at <= cx.now => {
                self.interval = (self.interval * 2).min(LONGEST_RESEND);
                self.resend_at = cx.now + self.interval;
                cx.output(Output::Deliver { envelope: self.envelope.clone() });
                Ok(State::HandingOver(self))
            }
            event => State::HandingOver(self).ignore(&event),
        }
    }
}
