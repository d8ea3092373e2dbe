//! The machine that turns a click into sealed tokens.
//!
//! `docs/diagrams/sign_in_flow.md` shows the states and what leads from one to the next; a test makes it from this code.
//!
//! The answer comes back by one of three [`Way`]s. A start page that stays silent means that this browser cannot reach the
//! listener, so its window is sent straight to the provider, for the next way. A start page that was cut off from this page
//! asks the listener for the way instead, once the kernel knows of the attempt.
//!
//! Each waiting state is a struct that owns what is known by then and is consumed by the transition: verifier, state and
//! keys exist only while they are needed. The transitions are in the states.

mod asking_for_code;
mod asking_kernel;
mod attempt;
mod awaiting_callback;
mod context;
mod entering_code;
mod exchanging;
mod handing_over;
mod input;
mod introducing;
mod introduction;
mod output;
mod state;
mod status;
mod way;
mod windows;

pub use input::{Input, WindowId};
pub use output::{Output, RequestId};
pub use status::{KernelRefusal, Phase, Problem, ShownCode, Status};
pub use way::Way;

use core::mem;

use crate::entropy::Entropy;
use crate::error::Error;
use crate::ticket::Ticket;
use crate::timestamp::Timestamp;
use context::{Context, Shared};
use state::{Halt, State};

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
    shared: Shared,
    state: State,
    /// When the last input came.
    seen: Option<Timestamp>,
}

impl Flow {
    /// A flow that waits for the click. Pass [`Input::Connected`] at once where there is a kernel to talk to.
    #[must_use]
    pub fn new(ticket: Ticket) -> Self {
        Self { shared: Shared::new(&ticket), state: State::Ready, seen: None, ticket }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// Why the input was dropped without any effect: `origin_mismatch`, `source_mismatch`,
    /// `message_malformed` or `state_mismatch`. A failure that ends the attempt is no error here
    /// but a [`Output::Status`].
    pub fn handle(&mut self, now: Timestamp, input: Input, rng: &mut dyn Entropy) -> Result<(), Error> {
        let mut state = mem::replace(&mut self.state, State::Spent);
        let mut cx = Context { ticket: &self.ticket, shared: &mut self.shared, now, rng };
        // A clock that was put back must not prolong what waits: the waits go on by the new time.
        if let Some(seen) = self.seen.replace(now).filter(|seen| now < *seen) {
            cx.shared.introduction.put_back(seen, now);
            state.put_back(seen, &mut cx);
        }
        let handing_over = matches!(state, State::HandingOver(_));
        let (state, result) = match state.handle(input, &mut cx) {
            Ok(state) => (state, Ok(())),
            Err(Halt::Dropped(state, error)) => (*state, Err(error)),
            Err(Halt::Failed(error)) => {
                cx.dismiss_windows();
                cx.show(Status::failed(error));
                (State::Ready, Ok(()))
            }
        };
        if handing_over && !matches!(state, State::HandingOver(_)) {
            cx.output(Output::ClearEnvelope);
        }
        match state {
            State::Spent => cx.shared.introduction.end(),
            // The popup must open in the click's own call stack: nothing may come in between.
            State::Introducing(ref introducing) if introducing.is_opening() => {}
            _ => cx.introduce(),
        }
        self.state = state;
        result
    }

    /// What to do next; `None` when everything was said.
    pub fn poll(&mut self) -> Option<Output> {
        self.shared.outputs.pop_front()
    }

    /// When [`Input::TimerFired`] is due, if ever.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let introduction = match &self.state {
            State::Introducing(introducing) if introducing.is_opening() => None,
            _ => self.shared.introduction.next_timer(),
        };
        self.state.next_timer().into_iter().chain(introduction).min()
    }

    /// What the view shows now.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.shared.status
    }

    /// The name of the state, for diagrams and tests.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        self.state.name()
    }

    /// Whether a message from this origin is worth passing on: exact comparison with the
    /// origin of the redirect address in use (RFC 9700 section 4.17).
    #[must_use]
    pub fn expects_origin(&self, origin: &str) -> bool {
        !origin.is_empty() && origin == self.shared.way.origin(&self.ticket)
    }

    /// The ticket that this flow runs on.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}
