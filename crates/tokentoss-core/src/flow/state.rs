//! The states, what leads from one to the next, and what an input does whatever the state.

use alloc::boxed::Box;

use super::asking_for_code::AskingForCode;
use super::asking_kernel::AskingKernel;
use super::awaiting_callback::AwaitingCallback;
use super::context::Context;
use super::entering_code::EnteringCode;
use super::exchanging::Exchanging;
use super::handing_over::HandingOver;
use super::introducing::Introducing;
use super::{Input, KernelRefusal, Output, Phase, Status, WindowId};
use crate::error::{Error, ErrorCode};
use crate::message::FromPopup;
use crate::timestamp::Timestamp;

#[derive(Debug)]
pub(super) enum State {
    Ready,
    Introducing(Introducing),
    AwaitingCallback(AwaitingCallback),
    Exchanging(Exchanging),
    AskingForCode(AskingForCode),
    AskingKernel(AskingKernel),
    EnteringCode(EnteringCode),
    HandingOver(HandingOver),
    Spent,
}

/// What a state makes of an input.
pub(super) type Step = Result<State, Halt>;

/// Why an input does not lead on.
pub(super) enum Halt {
    /// It is not part of this sign-in; the state stays as it was.
    Dropped(Box<State>, Error),
    /// The attempt ends; the ticket can be tried again.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// An input as a state gets it.
pub(super) enum Event {
    /// A message of a window whose origin and identity were checked.
    Message(WindowId, FromPopup),
    /// Any other input.
    Input(Input),
}

impl State {
    /// The state's name, for the diagram of the flow.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Introducing(_) => "Introducing",
            Self::AwaitingCallback(_) => "AwaitingCallback",
            Self::Exchanging(_) => "Exchanging",
            Self::AskingForCode(_) => "AskingForCode",
            Self::AskingKernel(_) => "AskingKernel",
            Self::EnteringCode(_) => "EnteringCode",
            Self::HandingOver(_) => "HandingOver",
            Self::Spent => "Spent",
        }
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        match self {
            Self::Ready | Self::Spent => None,
            Self::Introducing(state) => state.next_timer(),
            Self::AwaitingCallback(state) => state.next_timer(),
            Self::Exchanging(state) => state.next_timer(),
            Self::AskingForCode(state) => state.next_timer(),
            Self::AskingKernel(state) => state.next_timer(),
            Self::EnteringCode(state) => state.next_timer(),
            Self::HandingOver(state) => state.next_timer(),
        }
    }

    /// The clock was put back from this moment to the present one: every wait goes on by the new time.
    pub(super) fn put_back(&mut self, from: Timestamp, cx: &mut Context<'_>) {
        let to = cx.now;
        match self {
            Self::Ready | Self::Spent => {}
            Self::Introducing(state) => state.put_back(from, to),
            Self::AwaitingCallback(state) => state.put_back(from, to),
            Self::Exchanging(state) => state.put_back(from, to),
            Self::AskingForCode(state) => state.put_back(from, to),
            Self::AskingKernel(state) => state.put_back(from, to),
            Self::EnteringCode(state) => state.put_back(from, cx),
            Self::HandingOver(state) => state.put_back(from, to),
        }
    }

    /// Takes an input in: first what is the same in every state, then the state's own part.
    pub(super) fn handle(self, input: Input, cx: &mut Context<'_>) -> Step {
        let event = match input {
            Input::Acknowledged { ticket_id, refusal } => return Ok(self.decided(&ticket_id, refusal, cx)),
            Input::KernelLost => return Ok(self.kernel_lost(cx)),
            Input::Connected => {
                cx.shared.introduction.connected(cx.ticket, cx.now);
                return Ok(self);
            }
            Input::Introduced { key, sealed } => {
                cx.shared.introduction.take(&key, &sealed, cx.ticket);
                return Ok(self);
            }
            Input::Cancel => return Ok(self.cancel(cx)),
            Input::AskForCode if self.can_ask_for_code() => {
                self.give_up(cx);
                cx.dismiss_windows();
                return Ok(AskingForCode::begin(cx));
            }
            Input::Message { origin, source, text } => match read_message(cx, &origin, source, text.expose())
            {
                Ok((window, message)) => Event::Message(window, message),
                Err(error) => return self.dropping(error),
            },
            Input::Probed { readable } => {
                // It was asked only because nobody knew.
                cx.shared.cors = cx.shared.cors.or(Some(readable));
                Event::Input(input)
            }
            input => Event::Input(input),
        };
        match self {
            Self::Introducing(state) => state.handle(event, cx),
            Self::AwaitingCallback(state) => state.handle(event, cx),
            Self::Exchanging(state) => state.handle(event, cx),
            Self::AskingForCode(state) => state.handle(event, cx),
            Self::AskingKernel(state) => state.handle(event, cx),
            Self::EnteringCode(state) => state.handle(event, cx),
            Self::HandingOver(state) => state.handle(event, cx),
            Self::Ready => match event {
                Event::Input(Input::SignIn) => Introducing::begin(cx),
                Event::Input(Input::KernelCodeShown { code }) => Ok(AskingKernel::begin_shown(code, cx)),
                event => Self::Ready.ignore(&event),
            },
            Self::Spent => Self::Spent.ignore(&event),
        }
    }

    /// Refuses an input and stays.
    pub(super) fn dropping(self, error: Error) -> Step {
        Err(Halt::Dropped(Box::new(self), error))
    }

    /// Stays. An authorization response that comes where none is awaited is reported to the caller, as is any other message.
    pub(super) fn ignore(self, event: &Event) -> Step {
        match event {
            Event::Message(..) | Event::Input(Input::Relayed { .. } | Input::Broadcast { .. }) => {
                self.dropping(ErrorCode::StateMismatch.into())
            }
            Event::Input(_) => Ok(self),
        }
    }

    /// Ends what goes on outside this page's windows, because the user wants something else.
    pub(super) fn give_up(&self, cx: &mut Context<'_>) {
        self.abort_request(cx);
        if let Self::AskingKernel(_) = self {
            cx.output(Output::DropKernelCode);
        }
    }

    fn abort_request(&self, cx: &mut Context<'_>) {
        if let Self::Exchanging(_) | Self::AskingForCode(_) | Self::EnteringCode(_) = self {
            cx.output(Output::AbortRequest);
        }
    }

    fn can_ask_for_code(&self) -> bool {
        !matches!(self, Self::Exchanging(_) | Self::HandingOver(_) | Self::Spent)
    }

    /// The kernel decided on a ticket's envelope.
    fn decided(self, ticket_id: &str, refusal: Option<KernelRefusal>, cx: &mut Context<'_>) -> Self {
        if ticket_id != cx.ticket.id() || matches!(self, Self::Spent) {
            return self;
        }
        self.abort_request(cx);
        cx.dismiss_windows();
        cx.show(refusal.map_or(Status::phase(Phase::Done), Status::refused));
        Self::Spent
    }

    fn kernel_lost(self, cx: &mut Context<'_>) -> Self {
        if let Self::Spent = self {
            return self;
        }
        self.abort_request(cx);
        cx.dismiss_windows();
        cx.show(Status::failed(ErrorCode::KernelGone.into()));
        Self::Spent
    }

    fn cancel(self, cx: &mut Context<'_>) -> Self {
        if let Self::Ready | Self::Spent = self {
            return self;
        }
        self.give_up(cx);
        cx.dismiss_windows();
        cx.show(Status::phase(Phase::Ready));
        Self::Ready
    }
}

/// Checks where a message comes from, exactly, before a byte of it is read.
fn read_message(
    cx: &mut Context<'_>,
    origin: &str,
    source: Option<WindowId>,
    text: &str,
) -> Result<(WindowId, FromPopup), Error> {
    if origin.is_empty() || origin != cx.shared.way.origin(cx.ticket) {
        return Err(Error::about(ErrorCode::OriginMismatch, origin));
    }
    let window = source.ok_or(ErrorCode::SourceMismatch)?;
    let message = FromPopup::read(text).ok_or(ErrorCode::MessageMalformed)?;
    let windows = &mut cx.shared.windows;
    let welcome = windows.knows(window)
        || match message {
            FromPopup::Ready {} => windows.adopt(window),
            // A window that went straight to the provider has not introduced itself: its answer's state must do.
            FromPopup::Callback { .. } => windows.expects_more(),
            _ => false,
        };
    if welcome { Ok((window, message)) } else { Err(ErrorCode::SourceMismatch.into()) }
}
