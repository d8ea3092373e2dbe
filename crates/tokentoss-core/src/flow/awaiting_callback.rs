//! The user is at the provider's pages; the first valid answer wins, by whichever way it comes.

use alloc::string::String;
use core::time::Duration;

use rand_core::TryCryptoRng;

use super::{
    Attempt, Context, FromPopup, Halt, Input, Introducing, Output, State, Step, Way, WindowId, text,
};
use crate::callback::Refusal;
use crate::error::ErrorCode;
use crate::sealing::Purpose;
use crate::timestamp::Timestamp;

/// How long the user may take.
const CALLBACK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long a window may look closed before the user is told; its last message may still be on
/// its way, and under Cross-Origin-Opener-Policy it only looks so.
const CLOSED_GRACE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct AwaitingCallback {
    attempt: Attempt,
    deadline: Timestamp,
    /// When to tell that the window looks closed.
    closed_hint: Option<Timestamp>,
    /// The user was told that there is no window: a click begins anew.
    windowless: bool,
    /// No start page was heard of: the next click does without it.
    start_page_silent: bool,
}

impl AwaitingCallback {
    /// A window is on its way to the provider.
    pub(super) fn begin<R: ?Sized>(attempt: Attempt, context: &mut Context<'_, R>) -> State {
        let waiting = attempt.waiting(context);
        context.show(waiting);
        Self::arm(attempt, context)
    }

    /// No start page is needed: the popup goes to the provider at once.
    pub(super) fn begin_with_popup<R: TryCryptoRng + ?Sized>(
        attempt: Attempt,
        context: &mut Context<'_, R>,
    ) -> Step {
        attempt.open_channel(context);
        let url = String::from(attempt.request.url());
        context.outputs.push_back(Output::OpenPopup { url: url.into() });
        attempt.register(context)?;
        Ok(Self::arm(attempt, context))
    }

    /// The window looked closed before it was ready: the user opens the link, or clicks for a window anew.
    pub(super) fn begin_windowless<R: ?Sized>(attempt: Attempt, context: &mut Context<'_, R>) -> State {
        context.show(attempt.doubtful(ErrorCode::PopupClosed, context));
        context.probe_token_endpoint();
        State::AwaitingCallback(Self { windowless: true, ..Self::new(attempt, context) })
    }

    /// The window looks closed, and the kernel knows the attempt: a start page that was only cut off is told by its listener where
    /// to go. The user is told of the other possibility.
    pub(super) fn begin_cut_off<R: ?Sized>(mut attempt: Attempt, context: &mut Context<'_, R>) -> State {
        attempt.take_link_away();
        let waiting = attempt.waiting(context);
        context.show(waiting);
        context.probe_token_endpoint();
        let closed_hint = Some(context.now + CLOSED_GRACE);
        State::AwaitingCallback(Self { closed_hint, start_page_silent: true, ..Self::new(attempt, context) })
    }

    fn arm<R: ?Sized>(attempt: Attempt, context: &mut Context<'_, R>) -> State {
        context.probe_token_endpoint();
        State::AwaitingCallback(Self::new(attempt, context))
    }

    fn new<R: ?Sized>(attempt: Attempt, context: &Context<'_, R>) -> Self {
        let deadline = context.now + CALLBACK_LIMIT;
        Self { attempt, deadline, closed_hint: None, windowless: false, start_page_silent: false }
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
            Input::Broadcast { text } => {
                return match FromPopup::read(&text) {
                    Some(FromPopup::Callback { query }) => {
                        self.handle_callback(query.expose(), None, context)
                    }
                    _ => State::AwaitingCallback(self).dropping(ErrorCode::MessageMalformed.into()),
                };
            }
            Input::Pasted { text } => {
                if let Some(code) = self.attempt.take_paste(&text, context)? {
                    return self.attempt.redeem(&code, None, context);
                }
            }
            Input::Registered { secret } => {
                self.attempt.take_client_secret(secret.as_deref(), context.ticket);
            }
            Input::PopupOpened { window } => {
                context.windows.add(window);
                self.wait_on(context);
            }
            Input::PopupBlocked => {
                self.windowless = true;
                context.show(self.attempt.blocked(context));
            }
            Input::LinkFollowed => {
                context.windows.expect_one();
                self.wait_on(context);
            }
            Input::LinkCopied => {
                self.attempt.take_link_away();
                self.wait_on(context);
            }
            Input::WindowClosed { window } if context.windows.knows(window) && !self.windowless => {
                self.closed_hint = self.closed_hint.or(Some(context.now + CLOSED_GRACE));
            }
            Input::SignIn if self.windowless => {
                context.dismiss_windows();
                if self.start_page_silent {
                    *context.way = Way::beside_loopback(context.ticket);
                }
                if *context.way != Way::Loopback {
                    // The start page was of no use; what was found out about the browser still holds.
                    let attempt = Attempt::new(context)?;
                    context.outputs.push_back(Output::Listen);
                    return Self::begin_with_popup(attempt, context);
                }
                return Introducing::begin(context);
            }
            Input::TimerFired if self.deadline <= context.now => {
                return Err(Halt::Failed(ErrorCode::SignInTimedOut.into()));
            }
            Input::TimerFired if self.closed_hint.is_some_and(|due| due <= context.now) => {
                self.closed_hint = None;
                self.windowless = true;
                context.show(self.attempt.doubtful(ErrorCode::PopupClosed, context));
            }
            _ => {}
        }
        Ok(State::AwaitingCallback(self))
    }

    pub(super) fn handle_message<R: TryCryptoRng + ?Sized>(
        mut self,
        window: WindowId,
        message: FromPopup,
        context: &mut Context<'_, R>,
    ) -> Step {
        match message {
            FromPopup::Ready {} => {
                self.attempt.answer_start_page(window, context);
                Ok(State::AwaitingCallback(self))
            }
            FromPopup::Callback { query } => self.handle_callback(query.expose(), Some(window), context),
            // The listener was given up, or has met this page already; the secret is welcome all the same.
            FromPopup::Registered { secret } => {
                self.attempt.take_client_secret(secret.as_deref(), context.ticket);
                Ok(State::AwaitingCallback(self))
            }
            FromPopup::Refused { .. } => Ok(State::AwaitingCallback(self)),
            FromPopup::Delivered { .. } => {
                State::AwaitingCallback(self).dropping(ErrorCode::StateMismatch.into())
            }
        }
    }

    fn wait_on<R: ?Sized>(&mut self, context: &mut Context<'_, R>) {
        self.closed_hint = None;
        self.windowless = false;
        let waiting = self.attempt.waiting(context);
        context.show(waiting);
    }

    fn handle_relay<R: TryCryptoRng + ?Sized>(self, sealed: &str, context: &mut Context<'_, R>) -> Step {
        let opened = self.attempt.keys.open(Purpose::Callback, context.ticket.binding(), sealed);
        match opened.and_then(text) {
            Some(query) => self.handle_callback(query.expose(), None, context),
            None => State::AwaitingCallback(self).dropping(ErrorCode::MessageMalformed.into()),
        }
    }

    fn handle_callback<R: TryCryptoRng + ?Sized>(
        self,
        query: &str,
        window: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> Step {
        match self.attempt.verify(query, context.ticket) {
            Ok(code) => {
                if let Some(window) = window {
                    context.windows.add(window);
                }
                self.attempt.redeem(&code, window, context)
            }
            Err(Refusal::Dropped(error)) => State::AwaitingCallback(self).dropping(error),
            Err(Refusal::Ended(error)) => Err(Halt::Failed(error)),
        }
    }
}
