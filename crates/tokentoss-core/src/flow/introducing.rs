//! The popup is opening; its start page introduces the notebook page to the listener.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{
    Attempt, AwaitingCallback, Context, FromPopup, Halt, Input, Output, Phase, State, Status, Step, WindowId,
};
use crate::error::{Error, ErrorCode};
use crate::sealing::Purpose;
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::timestamp::Timestamp;

/// How long the start page may take to say that it is there; it takes a fifth of a second where
/// the listener can be reached, and the first popup of a slow machine some seconds.
const INTRODUCTION_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Introducing {
    attempt: Attempt,
    /// When the start page is given up; `None` while no window can be open.
    deadline: Option<Timestamp>,
    blocked: bool,
    window_closed: bool,
}

impl Introducing {
    pub(super) fn begin<R: TryCryptoRng + ?Sized>(context: &mut Context<'_, R>) -> Step {
        let attempt = Attempt::new(context)?;
        context.outputs.push_back(Output::Listen);
        context.outputs.push_back(Output::OpenPopup { url: context.ticket.start_url() });
        Ok(State::Introducing(Self { attempt, deadline: None, blocked: false, window_closed: false }))
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
                self.deadline = Some(context.now + INTRODUCTION_LIMIT);
                context.show(Status::waiting(context.ticket));
            }
            Input::PopupBlocked => {
                self.blocked = true;
                let blocked = Status::doubtful(context.ticket, ErrorCode::PopupBlocked);
                context.show(Status { phase: Phase::Failed, ..blocked });
            }
            Input::LinkFollowed => {
                context.windows.expect_one();
                self.blocked = false;
                self.window_closed = false;
                self.deadline = Some(context.now + INTRODUCTION_LIMIT);
                context.show(Status::waiting(context.ticket));
            }
            Input::SignIn if self.blocked => {
                context.dismiss_windows();
                return Self::begin(context);
            }
            Input::WindowClosed { window } if context.windows.knows(window) => self.window_closed = true,
            Input::TimerFired if self.deadline.is_some_and(|due| due <= context.now) => {
                return Err(Halt::Failed(if self.window_closed {
                    ErrorCode::PopupClosed.into()
                } else {
                    let listener = context.ticket.redirect_uri().authority();
                    Error::about(ErrorCode::LoopbackUnreachable, listener)
                }));
            }
            Input::Relayed { .. } => {
                return State::Introducing(self).dropping(ErrorCode::StateMismatch.into());
            }
            _ => {}
        }
        Ok(State::Introducing(self))
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
                Ok(State::Introducing(self))
            }
            FromPopup::Registered { secret } => {
                let client_secret = self.open_client_secret(context.ticket, secret.as_deref())?;
                Ok(AwaitingCallback::begin(self.attempt, client_secret, context))
            }
            FromPopup::Refused { code } => Err(Halt::Failed(refusal(&code).into())),
            FromPopup::Callback { .. } | FromPopup::Delivered { .. } => {
                State::Introducing(self).dropping(ErrorCode::StateMismatch.into())
            }
        }
    }

    fn open_client_secret(&self, ticket: &Ticket, sealed: Option<&str>) -> Result<Option<Secret>, Error> {
        if !ticket.client_secret_sealed() {
            return Ok(None);
        }
        let open = |sealed| self.attempt.keys.open(Purpose::ClientSecret, ticket.binding(), sealed);
        let secret = sealed.and_then(open).and_then(text).ok_or(ErrorCode::RegistrationRefused)?;
        Ok(Some(secret))
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

/// Opened bytes as text.
pub(super) fn text(bytes: Zeroizing<Vec<u8>>) -> Option<Secret> {
    core::str::from_utf8(&bytes).ok().map(|text| Secret::new(String::from(text)))
}
