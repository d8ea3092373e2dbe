//! What the page is told; separate from the core's types, so that those can change without the page noticing.

use std::fmt;

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use tokentoss_core::Error;
use tokentoss_core::flow::{self, Problem, ShownCode, Status};
use tsify::Tsify;
use wasm_bindgen::JsValue;

/// An event of a sign-in.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FlowEvent {
    /// What the view shows.
    Status {
        /// Where the sign-in stands.
        phase: Phase,
        /// The way that is being tried, while an answer is awaited.
        way: Option<Way>,
        /// What to open by hand.
        link: Option<String>,
        /// The stable error code of what went wrong, or looks as if it had.
        code: Option<String>,
        /// The same as a sentence with the next step.
        message: Option<String>,
        /// What the sentence is about, safe to show.
        subject: Option<String>,
        /// What is wrong with the address that was pasted last, as a sentence.
        paste_problem: Option<String>,
        /// Its stable error code.
        paste_code: Option<String>,
        /// The user code to enter on any device, once it is there.
        to_enter: Option<CodeToEnter>,
    },
    /// For the kernel: it must ask for a user code, because this page cannot.
    AskKernelForCode,
    /// For the kernel: it must drop its user code, or the request for one.
    DropKernelCode,
    /// For the kernel, as it stands: the page introduces itself.
    Introduce {
        /// The ticket.
        ticket: String,
        /// A public key of this page.
        key: String,
        /// The page's origin.
        origin: String,
    },
    /// What was delivered is to leave the trait `sealed_tokens`: nobody waits for it any more.
    ClearEnvelope,
    /// For the kernel, as it stands: no start page makes this attempt known.
    Register {
        /// The ticket.
        ticket: String,
        /// The authorization request, sealed to the kernel.
        sealed: String,
        /// The public key of this attempt.
        key: String,
    },
    /// What was sealed for the kernel, for the trait `sealed_tokens`; repeated until acknowledged.
    Deliver {
        /// The envelope.
        envelope: String,
    },
}

/// Where a sign-in stands.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for the click.
    Ready,
    /// Waiting for the user in the popup.
    Waiting,
    /// Exchanging the authorization code.
    SigningIn,
    /// Waiting for a user code, or for the user to enter it on any device.
    Code,
    /// The tokens, or the code for them, are on their way to the kernel.
    HandingOver,
    /// The kernel has the tokens.
    Done,
    /// The attempt ended with a problem.
    Failed,
}

/// How the provider's answer comes back.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Through the kernel's listener on loopback.
    Loopback,
    /// Through a static page.
    CallbackPage,
    /// By the user's hands.
    Paste,
}

/// A user code to enter on any device (RFC 8628).
#[derive(Serialize, Tsify)]
pub struct CodeToEnter {
    /// What to enter.
    user_code: String,
    /// Where, for people.
    verification_uri: String,
    /// The same, with the code filled in if the provider has that.
    page: String,
    /// When the code ends, in Unix seconds.
    expires_at: u64,
}

impl fmt::Debug for FlowEvent {
    /// Only its kind: links and addresses are for the page and the kernel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status { .. } => "Status",
            Self::Introduce { .. } => "Introduce",
            Self::ClearEnvelope => "ClearEnvelope",
            Self::Register { .. } => "Register",
            Self::AskKernelForCode => "AskKernelForCode",
            Self::DropKernelCode => "DropKernelCode",
            Self::Deliver { .. } => "Deliver",
        })
    }
}

impl fmt::Debug for CodeToEnter {
    /// The code is for the user's eyes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeToEnter").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl FlowEvent {
    /// The event as a plain object, with `null` for what is missing.
    pub(crate) fn to_js(&self) -> JsValue {
        // Fails only for what no event holds: a number beyond 2^53.
        self.serialize(&Serializer::new().serialize_missing_as_null(true)).unwrap_or_default()
    }
}

impl From<Status> for FlowEvent {
    fn from(status: Status) -> Self {
        let problem = status.problem.as_ref();
        Self::Status {
            phase: status.phase.into(),
            way: status.way.map(Way::from),
            paste_problem: status.paste_problem.as_ref().map(Error::message),
            paste_code: status.paste_problem.as_ref().map(|problem| problem.code().as_str().into()),
            code: problem.map(|problem| problem.code().into()),
            message: problem.map(Problem::message),
            subject: problem.and_then(|problem| problem.is_about().map(Into::into)),
            link: status.link,
            to_enter: status.code.map(CodeToEnter::from),
        }
    }
}

impl From<flow::Phase> for Phase {
    fn from(phase: flow::Phase) -> Self {
        match phase {
            flow::Phase::Ready => Self::Ready,
            flow::Phase::Waiting => Self::Waiting,
            flow::Phase::SigningIn => Self::SigningIn,
            flow::Phase::Code => Self::Code,
            flow::Phase::HandingOver => Self::HandingOver,
            flow::Phase::Done => Self::Done,
            flow::Phase::Failed => Self::Failed,
        }
    }
}

impl From<flow::Way> for Way {
    fn from(way: flow::Way) -> Self {
        match way {
            flow::Way::Loopback => Self::Loopback,
            flow::Way::CallbackPage => Self::CallbackPage,
            flow::Way::Paste => Self::Paste,
        }
    }
}

impl From<ShownCode> for CodeToEnter {
    fn from(ShownCode { user_code, verification_uri, page, expires_at }: ShownCode) -> Self {
        Self { user_code, verification_uri, page, expires_at }
    }
}
