//! What can happen to a sign-in.

use alloc::string::String;

use crate::form_request::EndpointAnswer;
use crate::secret::Secret;

/// A browser window that the effects know by identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowId(pub u32);

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// The user clicked the button.
    SignIn,
    /// The user wants a user code, to enter on any device (RFC 8628).
    AskForCode,
    /// The popup of [`super::Output::OpenPopup`] is open.
    PopupOpened {
        /// Its window.
        window: WindowId,
    },
    /// The browser refused to open it.
    PopupBlocked,
    /// The user followed the link of [`super::Status::link`].
    LinkFollowed,
    /// The user copies that link, to open it where this page cannot be answered; the status says what to copy.
    LinkCopied,
    /// A window of this sign-in reports `closed`; under Cross-Origin-Opener-Policy that may be
    /// untrue, so it never decides anything.
    WindowClosed {
        /// The window.
        window: WindowId,
    },
    /// A `message` event.
    Message {
        /// `event.origin`.
        origin: String,
        /// The window of `event.source`; `None` when it has none that could be known.
        source: Option<WindowId>,
        /// `event.data`, when it is a string; it may hold an authorization code.
        text: Secret,
    },
    /// A message on the channel of [`super::Output::OpenChannel`].
    Broadcast {
        /// Its data, when that is a string; it may hold an authorization code.
        text: Secret,
    },
    /// The user pasted an address.
    Pasted {
        /// What was pasted.
        text: Secret,
    },
    /// The connection to the kernel was made, or made again.
    Connected,
    /// The kernel answered [`super::Output::Introduce`].
    Introduced {
        /// The key of the page that it answers.
        key: String,
        /// The answer, sealed to that key.
        sealed: String,
    },
    /// The kernel answered [`super::Output::Register`].
    Registered {
        /// The key of the attempt that it answers.
        key: String,
        /// The answer, sealed to that key.
        sealed: String,
    },
    /// The kernel relayed a callback, sealed to this page.
    Relayed {
        /// The sealed query of the callback.
        sealed: String,
    },
    /// An endpoint of the provider answered.
    Answered {
        /// The request it answers.
        request: super::RequestId,
        /// The answer.
        answer: EndpointAnswer,
    },
    /// An endpoint could not be reached, or its answer not be read.
    Unanswered {
        /// The request that failed.
        request: super::RequestId,
    },
    /// What came of [`super::Output::Probe`].
    Probed {
        /// Whether there was an answer that the page may read, of whatever status.
        readable: bool,
    },
    /// The moment of [`super::Flow::next_timer`] has come.
    TimerFired,
    /// The kernel decided on this ticket's envelope.
    Acknowledged {
        /// The ticket.
        ticket_id: String,
        /// Why the tokens were refused; `None` when they were taken.
        refusal: Option<super::KernelRefusal>,
    },
    /// The kernel shows a user code: the answer to [`super::Output::AskKernelForCode`], or one from before.
    KernelCodeShown {
        /// What the user sees of it.
        code: super::ShownCode,
    },
    /// The kernel could not get a user code, or its sign-in by code failed.
    KernelCodeFailed {
        /// Why.
        refusal: super::KernelRefusal,
    },
    /// The kernel shows no user code any more.
    KernelCodeEnded,
    /// The user cancelled.
    Cancel,
    /// The kernel died, restarted or forgot the widget.
    KernelLost,
}
