//! What can happen to a sign-in.

use alloc::string::String;

use crate::token_endpoint::TokenEndpointAnswer;

/// A browser window that the effects know by identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowId(pub u32);

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// The user clicked the button.
    SignIn,
    /// The popup of [`super::Output::OpenPopup`] is open.
    PopupOpened {
        /// Its window.
        window: WindowId,
    },
    /// The browser refused to open it.
    PopupBlocked,
    /// The user followed the link that opens the start page by hand.
    LinkFollowed,
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
        /// `event.data`, when it is a string.
        text: String,
    },
    /// The kernel relayed a callback, sealed to this page.
    Relayed {
        /// The sealed query of the callback.
        sealed: String,
    },
    /// The token endpoint answered.
    Answered {
        /// The request it answers.
        request: super::RequestId,
        /// The answer.
        answer: TokenEndpointAnswer,
    },
    /// The token endpoint could not be reached, or its answer not be read.
    Unanswered {
        /// The request that failed.
        request: super::RequestId,
    },
    /// The moment of [`super::Flow::next_timer`] has come.
    TimerFired,
    /// The kernel decided on this ticket's envelope.
    Acknowledged {
        /// The ticket.
        ticket_id: String,
        /// Why the tokens were refused; `None` when they were taken.
        refusal: Option<super::output::KernelRefusal>,
    },
    /// The user cancelled.
    Cancel,
    /// The kernel died, restarted or forgot the widget.
    KernelLost,
}
