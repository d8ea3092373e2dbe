//! The machine that turns a click into sealed tokens.
//!
//! ```text
//!            SignIn            Registered              Callback            Answered
//! Ready ───────────▶ Introducing ─────▶ AwaitingCallback ─────▶ Exchanging ─────▶ HandingOver
//!   ▲          │         silent │       ▲      │   the kernel exchanges │             ▲ │
//!   │          └─ no listener ──┴───────┘      └────────────────────────┼─────────────┘ │
//!   └──── Cancel or a failure: the ticket can be tried again ◀──────────┴───────────────┤
//!                                                                                       ▼
//!                        the kernel acknowledged the ticket, or is gone ────────────▶ Spent
//!
//!        AskForCode               Answered, Probed            the code was entered
//! Ready ───────────▶ AskingForCode ────────────▶ EnteringCode ────────────────────▶ HandingOver
//!   ▲                      │   only the kernel can │ ⟲ polls       Cancel or a failure
//!   └──────────────────────┴───────────────────────┘
//! ```
//!
//! The answer comes back by one of three [`Way`]s; a start page that stays silent means that the listener is out of this
//! browser's reach, so that its window is sent straight to the provider, for the next way. One that was cut off from this page
//! asks the listener for the way instead, once the kernel knows of the attempt.
//!
//! Each waiting state is a struct that owns just what is known by then and is consumed by the
//! transition: verifier, state and keys exist only while they are needed.

mod asking_for_code;
mod asking_kernel;
mod attempt;
mod awaiting_callback;
mod entering_code;
mod exchanging;
mod handing_over;
mod input;
mod introducing;
mod output;
mod way;
mod windows;

pub use input::{Input, WindowId};
pub use output::{KernelRefusal, Output, Phase, Problem, RequestId, ShownCode, Status};
pub use way::Way;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::authorization::AuthorizationRequest;
use crate::error::{Error, ErrorCode};
use crate::message::{FromPopup, ToPopup};
use crate::secret::Secret;
use crate::ticket::{ExchangePlace, Ticket};
use crate::timestamp::Timestamp;
use crate::token_endpoint::TokenRequest;
use asking_for_code::AskingForCode;
use asking_kernel::AskingKernel;
use attempt::Attempt;
use awaiting_callback::AwaitingCallback;
use entering_code::EnteringCode;
use exchanging::Exchanging;
use handing_over::HandingOver;
use introducing::Introducing;
use windows::Windows;

/// One ticket's sign-in in one notebook page.
///
/// To drive it: pass everything that happens to [`Flow::handle`], then perform what
/// [`Flow::poll`] returns, in order, until it returns `None`, then set one timer for
/// [`Flow::next_timer`] (or none) and pass [`Input::TimerFired`] when it fires. After a
/// [`Input::SignIn`] the outputs must be performed in the click's own call stack, so that the
/// browser lets the popup open; the result goes back as [`Input::PopupOpened`] or
/// [`Input::PopupBlocked`].
#[derive(Debug)]
pub struct Flow {
    ticket: Ticket,
    state: State,
    way: Way,
    windows: Windows,
    outputs: VecDeque<Output>,
    status: Status,
    exchanges: u32,
    /// Whether this page may read the token endpoint's answers, once that is known.
    cors: Option<bool>,
    probed: bool,
}

#[derive(Debug)]
enum State {
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

impl State {
    /// Refuses an input and stays.
    fn dropping(self, error: Error) -> Step {
        Err(Halt::Dropped(Box::new(self), error))
    }
}

/// What a state makes of an input.
type Step = Result<State, Halt>;

/// Why an input does not lead on.
enum Halt {
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

/// What a state may see and do besides its own data.
struct Context<'a, R: ?Sized> {
    ticket: &'a Ticket,
    way: &'a mut Way,
    windows: &'a mut Windows,
    outputs: &'a mut VecDeque<Output>,
    status: &'a mut Status,
    exchanges: &'a mut u32,
    cors: &'a mut Option<bool>,
    probed: &'a mut bool,
    now: Timestamp,
    rng: &'a mut R,
}

impl<R: TryCryptoRng + ?Sized> Context<'_, R> {
    /// A fresh request for the way that is being tried.
    fn authorization_request(&mut self) -> Result<AuthorizationRequest, Error> {
        let redirect_uri = self.way.redirect_uri(self.ticket).ok_or(ErrorCode::TicketInvalid)?;
        AuthorizationRequest::new(self.ticket, redirect_uri, self.rng)
    }
}

impl<R: ?Sized> Context<'_, R> {
    fn show(&mut self, status: Status) {
        if *self.status != status {
            *self.status = status.clone();
            self.outputs.push_back(Output::Status(status));
        }
    }

    /// Sends a form, once; its answer comes by the number.
    fn send(&mut self, token_request: TokenRequest) -> RequestId {
        *self.exchanges = self.exchanges.wrapping_add(1);
        let request = RequestId(*self.exchanges);
        self.outputs.push_back(Output::Exchange { request, token_request });
        request
    }

    fn post(&mut self, window: WindowId, message: &ToPopup<'_>) {
        let target_origin = String::from(self.way.origin(self.ticket));
        self.outputs.push_back(Output::Post { window, target_origin, message: message.write() });
    }

    /// Tells every page of this sign-in to close, and closes the windows.
    fn dismiss_windows(&mut self) {
        for window in self.windows.take() {
            self.post(window, &ToPopup::Done {});
            self.outputs.push_back(Output::CloseWindow { window });
        }
        if self.windows.close_channel() {
            self.outputs.push_back(Output::Broadcast { message: ToPopup::Done {}.write() });
        }
        self.outputs.push_back(Output::StopListening);
    }

    /// Has the token endpoint asked while there is time, once a ticket, if nobody knows yet whether it answers pages.
    fn probe_token_endpoint(&mut self) {
        let provider = self.ticket.provider();
        let unknown = self.cors.is_none() && self.ticket.exchange() == ExchangePlace::Auto;
        if unknown && provider.openid_connect() && !mem::replace(self.probed, true) {
            self.outputs.push_back(Output::Probe { token_request: TokenRequest::probe(self.ticket) });
        }
    }
}

impl Flow {
    /// A flow that waits for the click.
    #[must_use]
    pub fn new(ticket: Ticket) -> Self {
        let status = Status::phase(Phase::Ready);
        Self {
            outputs: VecDeque::from([Output::Status(status.clone())]),
            way: Way::first(&ticket),
            cors: ticket.provider().token_endpoint_cors(),
            probed: false,
            ticket,
            state: State::Ready,
            windows: Windows::default(),
            status,
            exchanges: 0,
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// Why the input was dropped without any effect: `origin_mismatch`, `source_mismatch`,
    /// `message_malformed` or `state_mismatch`. A failure that ends the attempt is no error here
    /// but a [`Output::Status`].
    pub fn handle<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Timestamp,
        input: Input,
        rng: &mut R,
    ) -> Result<(), Error> {
        let state = mem::replace(&mut self.state, State::Spent);
        let mut context = Context {
            ticket: &self.ticket,
            way: &mut self.way,
            windows: &mut self.windows,
            outputs: &mut self.outputs,
            status: &mut self.status,
            exchanges: &mut self.exchanges,
            cors: &mut self.cors,
            probed: &mut self.probed,
            now,
            rng,
        };
        match step(state, input, &mut context) {
            Ok(state) => {
                self.state = state;
                Ok(())
            }
            Err(Halt::Dropped(state, error)) => {
                self.state = *state;
                Err(error)
            }
            Err(Halt::Failed(error)) => {
                context.dismiss_windows();
                context.show(Status::failed(error));
                self.state = State::Ready;
                Ok(())
            }
        }
    }

    /// What to do next; `None` when everything was said.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::TimerFired`] is due, if ever.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        match &self.state {
            State::Ready | State::Spent => None,
            State::Introducing(state) => state.next_timer(),
            State::AwaitingCallback(state) => state.next_timer(),
            State::Exchanging(state) => state.next_timer(),
            State::AskingForCode(state) => state.next_timer(),
            State::AskingKernel(state) => state.next_timer(),
            State::EnteringCode(state) => state.next_timer(),
            State::HandingOver(state) => state.next_timer(),
        }
    }

    /// What the view shows now.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Whether a message from this origin is worth passing on: exact comparison with the
    /// origin of the redirect address in use (RFC 9700 section 4.17).
    #[must_use]
    pub fn expects_origin(&self, origin: &str) -> bool {
        !origin.is_empty() && origin == self.way.origin(&self.ticket)
    }

    /// The ticket that this flow runs on.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}

fn step<R: TryCryptoRng + ?Sized>(state: State, input: Input, context: &mut Context<'_, R>) -> Step {
    match (state, input) {
        (state, Input::Acknowledged { ticket_id, refusal }) => {
            if ticket_id != context.ticket.id() || matches!(state, State::Spent) {
                return Ok(state);
            }
            abort_exchange(&state, context);
            context.dismiss_windows();
            context.show(refusal.map_or(Status::phase(Phase::Done), Status::refused));
            Ok(State::Spent)
        }
        (state @ State::Spent, Input::KernelLost) => Ok(state),
        (state, Input::KernelLost) => {
            abort_exchange(&state, context);
            context.dismiss_windows();
            context.show(Status::failed(ErrorCode::KernelGone.into()));
            Ok(State::Spent)
        }
        (state @ (State::Ready | State::Spent), Input::Cancel) => Ok(state),
        (state, Input::Cancel) => {
            give_up(&state, context);
            context.dismiss_windows();
            context.show(Status::phase(Phase::Ready));
            Ok(State::Ready)
        }
        (State::Ready, Input::SignIn) => Introducing::begin(context),
        (State::Ready, Input::KernelCodeShown { code }) => Ok(AskingKernel::begin_shown(code, context)),
        (state @ (State::AskingForCode(_) | State::AskingKernel(_) | State::EnteringCode(_)), Input::SignIn) => {
            give_up(&state, context);
            Introducing::begin(context)
        }
        (
            state @ (State::Ready
            | State::Introducing(_)
            | State::AwaitingCallback(_)
            | State::AskingForCode(_)
            | State::AskingKernel(_)
            | State::EnteringCode(_)),
            Input::AskForCode,
        ) => {
            give_up(&state, context);
            context.dismiss_windows();
            Ok(AskingForCode::begin(context))
        }
        (state, Input::Probed { readable }) => {
            // It was asked only because nobody knew.
            *context.cors = context.cors.or(Some(readable));
            Ok(match state {
                State::AskingForCode(state) => state.go_on(context),
                state => state,
            })
        }
        (state, Input::Message { origin, source, text }) => {
            match read_message(context, &origin, source, &text) {
                Ok((window, message)) => handle_message(state, window, message, context),
                Err(error) => state.dropping(error),
            }
        }
        (
            state @ (State::Ready
            | State::Spent
            | State::AskingForCode(_)
            | State::AskingKernel(_)
            | State::EnteringCode(_)),
            Input::Relayed { .. } | Input::Broadcast { .. },
        ) => state.dropping(ErrorCode::StateMismatch.into()),
        (State::Introducing(state), input) => state.handle(input, context),
        (State::AwaitingCallback(state), input) => state.handle(input, context),
        (State::Exchanging(state), input) => state.handle(input, context),
        (State::AskingForCode(state), input) => state.handle(input, context),
        (State::AskingKernel(state), input) => state.handle(input, context),
        (State::EnteringCode(state), input) => state.handle(input, context),
        (State::HandingOver(state), input) => state.handle(input, context),
        (state @ (State::Ready | State::Spent), _) => Ok(state),
    }
}

/// Checks where a message comes from, exactly, before a byte of it is read.
fn read_message<R: ?Sized>(
    context: &mut Context<'_, R>,
    origin: &str,
    source: Option<WindowId>,
    text: &str,
) -> Result<(WindowId, FromPopup), Error> {
    if origin.is_empty() || origin != context.way.origin(context.ticket) {
        return Err(Error::about(ErrorCode::OriginMismatch, origin));
    }
    let window = source.ok_or(ErrorCode::SourceMismatch)?;
    let message = FromPopup::read(text).ok_or(ErrorCode::MessageMalformed)?;
    let welcome = context.windows.knows(window)
        || match message {
            FromPopup::Ready {} => context.windows.adopt(window),
            // A window that went straight to the provider has not introduced itself: its answer's state must do.
            FromPopup::Callback { .. } => context.windows.expects_one(),
            _ => false,
        };
    if welcome { Ok((window, message)) } else { Err(ErrorCode::SourceMismatch.into()) }
}

fn handle_message<R: TryCryptoRng + ?Sized>(
    state: State,
    window: WindowId,
    message: FromPopup,
    context: &mut Context<'_, R>,
) -> Step {
    match state {
        State::Introducing(state) => state.handle_message(window, message, context),
        State::AwaitingCallback(state) => state.handle_message(window, message, context),
        State::HandingOver(state) => state.handle_message(&message, context),
        // An exchange is going on, or nothing is: a second callback changes nothing.
        state => state.dropping(ErrorCode::StateMismatch.into()),
    }
}

/// Ends what goes on outside this page's windows, because the user wants something else.
fn give_up<R: ?Sized>(state: &State, context: &mut Context<'_, R>) {
    abort_exchange(state, context);
    if let State::AskingKernel(_) = state {
        context.outputs.push_back(Output::DropKernelCode);
    }
}

fn abort_exchange<R: ?Sized>(state: &State, context: &mut Context<'_, R>) {
    if let State::Exchanging(_) | State::AskingForCode(_) | State::EnteringCode(_) = state {
        context.outputs.push_back(Output::AbortExchange);
    }
}

/// Opened bytes as text.
fn text(bytes: Zeroizing<Vec<u8>>) -> Option<Secret> {
    core::str::from_utf8(&bytes).ok().map(|text| Secret::new(String::from(text)))
}
