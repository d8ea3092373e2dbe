//! What the view shows.

use alloc::string::String;
use core::fmt;

use super::Way;
use crate::error::{About, Error};

/// Where a sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the click.
    Ready,
    /// Waiting for the user in the popup.
    Waiting,
    /// Exchanging the authorization code.
    SigningIn,
    /// Waiting for a user code, or for the user to enter it on any device.
    Code,
    /// The tokens, or the authorization code for them, are on their way to the kernel.
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
            Self::Code => "code",
            Self::HandingOver => "handing_over",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What the view shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Status {
    /// Where the sign-in stands.
    pub phase: Phase,
    /// The way that is being tried, while an answer is awaited.
    pub way: Option<Way>,
    /// What to open by hand: the start page, or the provider's where that is of no use.
    pub link: Option<String>,
    /// What went wrong, or looks as if it had.
    pub problem: Option<Problem>,
    /// What is wrong with the address that was pasted last.
    pub paste_problem: Option<Error>,
    /// The user code to enter, once it is there.
    pub code: Option<ShownCode>,
}

/// What the user sees of a user code, which is entered on any device; never what the tokens are fetched with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCode {
    /// What to enter.
    pub user_code: String,
    /// Where, for people.
    pub verification_uri: String,
    /// The same, with the code filled in if the provider has that.
    pub page: String,
    /// When the code ends, in Unix seconds.
    pub expires_at: u64,
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
    pub fn is_about(&self) -> Option<&str> {
        match self {
            Self::Page(error) => error.is_about().map(About::as_str),
            Self::Kernel(_) => None,
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("phase", &self.phase)
            .field("way", &self.way)
            // The provider's address holds the state.
            .field("has_link", &self.link.is_some())
            .field("problem", &self.problem)
            .field("paste_problem", &self.paste_problem)
            .field("code", &self.code)
            .finish()
    }
}

impl Status {
    pub(super) fn phase(phase: Phase) -> Self {
        Self { phase, way: None, link: None, problem: None, paste_problem: None, code: None }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { problem: Some(Problem::Page(error)), ..Self::phase(Phase::Failed) }
    }

    pub(super) fn refused(refusal: KernelRefusal) -> Self {
        Self { problem: Some(Problem::Kernel(refusal)), ..Self::phase(Phase::Failed) }
    }
}
