//! The user is at the provider's pages; the first valid answer wins.

use core::time::Duration;

use rand_core::TryCryptoRng;

use super::introducing::text;
use super::{
    Attempt, Context, Exchanging, FromPopup, Halt, Input, Introducing, State, Status, Step, WindowId,
};
use crate::callback::{self, Refusal};
use crate::error::ErrorCode;
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// How long the user may take.
const CALLBACK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long a window may look closed before the user is told; its last message may still be on
/// its way, and under Cross-Origin-Opener-Policy it only looks so.
const CLOSED_GRACE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct AwaitingCallback {
    attempt: Attempt,
    client_secret: Option<Secret>,
    deadline: Timestamp,
    /// When to tell that the window looks closed.
    closed_hint: Option<Timestamp>,
    told_closed: bool,
}

impl AwaitingCallback {
    pub(super) fn begin<R: ?Sized>(
        attempt: Attempt,
        client_secret: Option<Secret>,
        context: &mut Context<'_, R>,
    ) -> State {
        context.show(Status::waiting(context.ticket));
        let deadline = context.now + CALLBACK_LIMIT;
        State::AwaitingCallback(Self {
            attempt,
            client_secret,
            deadline,
            closed_hint: None,
            told_closed: false,
        })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.closed_hint.map_or(self.deadline, |hint| hint.min(self.deadline)))
    }

    pub(super) fn handle<R: TryCryptoRng + ?Sized>(
        mut self,
        input: Input,
        context: &mut Context<'_, R>,
    ) -> Step {
        match input {
            Input::Relayed { sealed } => return self.handle_relay(&sealed, context),
            Input::LinkFollowed => {
                context.windows.expect_one();
                self.closed_hint = None;
                self.told_closed = false;
                context.show(Status::waiting(context.ticket));
            }
            Input::WindowClosed { window } if context.windows.knows(window) && !self.told_closed => {
                self.closed_hint = self.closed_hint.or(Some(context.now + CLOSED_GRACE));
            }
            Input::SignIn if self.told_closed => {
                context.dismiss_windows();
                return Introducing::begin(context);
            }
            Input::TimerFired if self.deadline <= context.now => {
                return Err(Halt::Failed(ErrorCode::SignInTimedOut.into()));
            }
            Input::TimerFired if self.closed_hint.is_some_and(|due| due <= context.now) => {
                self.closed_hint = None;
                self.told_closed = true;
                context.show(Status::doubtful(context.ticket, ErrorCode::PopupClosed));
            }
            _ => {}
        }
        Ok(State::AwaitingCallback(self))
    }

    pub(super) fn handle_message<R: TryCryptoRng + ?Sized>(
        self,
        window: WindowId,
        message: FromPopup,
        context: &mut Context<'_, R>,
    ) -> Step {
        match message {
            FromPopup::Ready {} => {
                self.attempt.answer_start_page(window, context);
                Ok(State::AwaitingCallback(self))
            }
            FromPopup::Callback { query } => self.handle_callback(&query, Some(window), context),
            // The listener has met this page already.
            FromPopup::Registered { .. } | FromPopup::Refused { .. } => Ok(State::AwaitingCallback(self)),
            FromPopup::Delivered { .. } => {
                State::AwaitingCallback(self).dropping(ErrorCode::StateMismatch.into())
            }
        }
    }

    fn handle_relay<R: TryCryptoRng + ?Sized>(self, sealed: &str, context: &mut Context<'_, R>) -> Step {
        let opened = self.attempt.keys.open(Purpose::Callback, context.ticket.binding(), sealed);
        match opened.and_then(text) {
            Some(query) => self.handle_callback(&query, None, context),
            None => State::AwaitingCallback(self).dropping(ErrorCode::MessageMalformed.into()),
        }
    }

    fn handle_callback<R: TryCryptoRng + ?Sized>(
        self,
        query: &Secret,
        window: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> Step {
        match callback::verify(query.expose(), self.attempt.request.state(), context.ticket.provider()) {
            Ok(code) => Ok(Exchanging::begin(
                self.attempt.request,
                &code,
                self.client_secret.as_ref(),
                window,
                context,
            )),
            Err(Refusal::Dropped(error)) => State::AwaitingCallback(self).dropping(error),
            Err(Refusal::Ended(error)) => Err(Halt::Failed(error)),
        }
    }
}
