//! What a sign-in wants done, and what it shows.

use alloc::string::String;

use super::WindowId;
use crate::error::{Error, ErrorCode};
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::token_endpoint::TokenRequest;

/// Numbers the token requests of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u32);

/// Something to do, in the order given.
#[derive(Debug)]
pub enum Output {
    /// Listen for `message` events from now on.
    Listen,
    /// No more message is awaited; windows and listeners can go.
    StopListening,
    /// Open a popup, synchronously.
    OpenPopup {
        /// Where it goes.
        url: String,
    },
    /// `postMessage` to a window of this sign-in.
    Post {
        /// The window.
        window: WindowId,
        /// The one origin that may read it.
        target_origin: String,
        /// The message.
        message: Secret,
    },
    /// Close a window of this sign-in.
    CloseWindow {
        /// The window.
        window: WindowId,
    },
    /// Send the token request, once, whatever happens.
    Exchange {
        /// Its number.
        request: RequestId,
        /// The request.
        token_request: TokenRequest,
    },
    /// Forget the running token request.
    AbortExchange,
    /// Hand the sealed tokens to the kernel; repeated until acknowledged.
    Deliver {
        /// The sealed envelope.
        envelope: String,
    },
    /// Show this.
    Status(Status),
}

/// Where a sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the click.
    Ready,
    /// Waiting for the user in the popup.
    Waiting,
    /// Exchanging the code.
    SigningIn,
    /// The tokens are on their way to the kernel.
    HandingOver,
    /// The kernel has the tokens.
    Done,
    /// The attempt ended with a problem.
    Failed,
}

impl Phase {
    /// The name used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::SigningIn => "signing_in",
            Self::HandingOver => "handing_over",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What the view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where the sign-in stands.
    pub phase: Phase,
    /// The start page, for opening it by hand.
    pub link: Option<String>,
    /// What went wrong, or looks as if it had.
    pub problem: Option<Problem>,
}

/// Something to tell the user, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Found in the page.
    Page(Error),
    /// Found by the kernel.
    Kernel(KernelRefusal),
}

/// The kernel's reason for refusing tokens, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelRefusal {
    /// The stable code.
    pub code: String,
    /// The sentence with the next step.
    pub message: String,
}

impl Problem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Page(error) => error.code().as_str(),
            Self::Kernel(refusal) => &refusal.code,
        }
    }

    /// The sentence with the next step.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Page(error) => error.message(),
            Self::Kernel(refusal) => refusal.message.clone(),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Page(error) => error.subject().map(crate::error::Subject::as_str),
            Self::Kernel(_) => None,
        }
    }
}

impl Status {
    pub(super) fn phase(phase: Phase) -> Self {
        Self { phase, link: None, problem: None }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { problem: Some(Problem::Page(error)), ..Self::phase(Phase::Failed) }
    }

    pub(super) fn refused(refusal: KernelRefusal) -> Self {
        Self { problem: Some(Problem::Kernel(refusal)), ..Self::phase(Phase::Failed) }
    }

    /// Waiting for the user, who can open the start page by hand.
    pub(super) fn waiting(ticket: &Ticket) -> Self {
        Self { link: Some(ticket.start_url()), ..Self::phase(Phase::Waiting) }
    }

    /// Still waiting, though something looks wrong.
    pub(super) fn doubtful(ticket: &Ticket, code: ErrorCode) -> Self {
        Self { problem: Some(Problem::Page(code.into())), ..Self::waiting(ticket) }
    }
}
