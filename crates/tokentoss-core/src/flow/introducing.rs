//! The popup is opening; its start page introduces the notebook page to the listener.

use core::time::Duration;

use rand_core::TryCryptoRng;

use super::{
    Attempt, AwaitingCallback, Context, FromPopup, Halt, Input, Output, State, Status, Step, Way, WindowId,
};
use crate::error::ErrorCode;
use crate::timestamp::Timestamp;

/// How long the start page may take to say that it is there, before the next way is taken. It takes a fifth of a second where
/// the listener can be reached; a slow one loses little, because the next way ends at the same listener if it can.
const READY_LIMIT: Duration = Duration::from_secs(1);
/// How long the listener may then take to register the page, or the kernel, where the window looks closed by then.
const REGISTRATION_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Introducing {
    attempt: Attempt,
    /// When the start page is given up; `None` while no window can be open.
    deadline: Option<Timestamp>,
    ready: bool,
    blocked: bool,
    window_closed: bool,
}

impl Introducing {
    /// Takes the click: opens the popup by the best way that the ticket offers.
    pub(super) fn begin<R: TryCryptoRng + ?Sized>(context: &mut Context<'_, R>) -> Step {
        *context.way = Way::first(context.ticket);
        let attempt = Attempt::new(context)?;
        context.outputs.push_back(Output::Listen);
        let Some(url) = attempt.start_url(context) else {
            return AwaitingCallback::begin_with_popup(attempt, context);
        };
        context.outputs.push_back(Output::OpenPopup { url: url.into() });
        Ok(State::Introducing(Self {
            attempt,
            deadline: None,
            ready: false,
            blocked: false,
            window_closed: false,
        }))
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.deadline
    }

    pub(super) fn handle<R: TryCryptoRng + ?Sized>(
        mut self,
        input: Input,
        context: &mut Context<'_, R>,
    ) -> Step {
        match input {
            Input::PopupOpened { window } => {
                context.windows.add(window);
                self.expect_ready(context);
            }
            Input::PopupBlocked => {
                self.blocked = true;
                context.show(self.attempt.blocked(context));
            }
            Input::LinkFollowed => {
                context.windows.expect_one();
                self.blocked = false;
                self.window_closed = false;
                self.expect_ready(context);
            }
            Input::LinkCopied => return self.give_up_start_page(context),
            Input::Pasted { text } => {
                if let Some(code) = self.attempt.take_paste(&text, context)? {
                    return self.attempt.redeem(&code, None, context);
                }
            }
            Input::SignIn if self.blocked => {
                context.dismiss_windows();
                return Self::begin(context);
            }
            Input::WindowClosed { window } if context.windows.knows(window) && !self.window_closed => {
                self.window_closed = true;
                if !self.ready {
                    // Or cut off, where the notebook page itself has a Cross-Origin-Opener-Policy.
                    self.attempt.register(context)?;
                    self.deadline = Some(context.now + REGISTRATION_LIMIT);
                }
            }
            Input::Registered { secret } if self.window_closed => {
                self.attempt.take_client_secret(secret.as_deref(), context.ticket);
                if !self.ready {
                    self.attempt.check_client_secret(context.ticket)?;
                    return Ok(AwaitingCallback::begin_cut_off(self.attempt, context));
                }
            }
            Input::TimerFired if self.deadline.is_some_and(|due| due <= context.now) => {
                if self.window_closed {
                    self.attempt.leave_loopback(context)?;
                    return Ok(AwaitingCallback::begin_windowless(self.attempt, context));
                }
                return self.give_up_start_page(context);
            }
            Input::Relayed { .. } | Input::Broadcast { .. } => {
                return State::Introducing(self).dropping(ErrorCode::StateMismatch.into());
            }
            _ => {}
        }
        Ok(State::Introducing(self))
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
                if !self.ready {
                    self.ready = true;
                    self.deadline = Some(context.now + REGISTRATION_LIMIT);
                }
                Ok(State::Introducing(self))
            }
            FromPopup::Registered { secret } => {
                self.attempt.take_client_secret(secret.as_deref(), context.ticket);
                self.attempt.check_client_secret(context.ticket)?;
                Ok(AwaitingCallback::begin(self.attempt, context))
            }
            FromPopup::Refused { code } => Err(Halt::Failed(refusal(&code).into())),
            FromPopup::Callback { .. } | FromPopup::Delivered { .. } => {
                State::Introducing(self).dropping(ErrorCode::StateMismatch.into())
            }
        }
    }

    fn expect_ready<R: ?Sized>(&mut self, context: &mut Context<'_, R>) {
        self.ready = false;
        self.deadline = Some(context.now + READY_LIMIT);
        let waiting: Status = self.attempt.waiting(context);
        context.show(waiting);
    }

    fn give_up_start_page<R: TryCryptoRng + ?Sized>(mut self, context: &mut Context<'_, R>) -> Step {
        self.attempt.leave_loopback(context)?;
        Ok(AwaitingCallback::begin(self.attempt, context))
    }
}

/// The listener's reason as one of ours.
fn refusal(code: &str) -> ErrorCode {
    match code {
        "endpoint_insecure" => ErrorCode::EndpointInsecure,
        "page_origin_opaque" => ErrorCode::PageOriginOpaque,
        _ => ErrorCode::RegistrationRefused,
    }
}
