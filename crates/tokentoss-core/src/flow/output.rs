//! What a sign-in wants done.

use alloc::string::String;

use super::{Status, WindowId};
use crate::form_request::FormRequest;
use crate::secret::Secret;

/// Numbers the requests of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u32);

/// Something to do, in the order given.
#[derive(Debug)]
pub enum Output {
    /// Listen for `message` events from now on.
    Listen,
    /// Open a broadcast channel of this origin, too.
    OpenChannel {
        /// Its name, which nobody can guess.
        name: Secret,
    },
    /// No more message is awaited; windows, listeners and the channel can go.
    StopListening,
    /// Open a popup, synchronously.
    OpenPopup {
        /// Where it goes; the provider's address holds the state.
        url: Secret,
    },
    /// Send a window of this sign-in elsewhere, without a trace in its history.
    Navigate {
        /// The window.
        window: WindowId,
        /// Where it goes; the provider's address holds the state.
        url: Secret,
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
    /// Post on the channel.
    Broadcast {
        /// The message.
        message: Secret,
    },
    /// Introduce this page to the kernel; the answer is [`super::Input::Introduced`].
    Introduce {
        /// The ticket.
        ticket: String,
        /// A public key of this page, made for this.
        key: String,
        /// The page's origin.
        origin: String,
    },
    /// Register this attempt with the kernel, because no start page does; the answer is [`super::Input::Registered`].
    Register {
        /// The ticket.
        ticket: String,
        /// The authorization request, whose state is secret, sealed to the ticket's key.
        sealed: String,
        /// The public key of this attempt.
        key: String,
    },
    /// Close a window of this sign-in.
    CloseWindow {
        /// The window.
        window: WindowId,
    },
    /// Find out whether the page may read the token endpoint's answers; the answer is [`super::Input::Probed`].
    Probe {
        /// A token request without an authorization code.
        form: FormRequest,
    },
    /// Send the form, once, whatever happens.
    Send {
        /// Its number.
        request: RequestId,
        /// The form.
        form: FormRequest,
    },
    /// Forget the request that is under way.
    AbortRequest,
    /// Hand the sealed tokens, or the sealed authorization code, to the kernel; repeated until acknowledged.
    Deliver {
        /// The sealed envelope.
        envelope: String,
    },
    /// Take back what was handed over: nobody waits for it any more.
    ClearEnvelope,
    /// Have the kernel ask for a user code, because this page cannot. The answer is [`super::Input::KernelCodeShown`] or
    /// [`super::Input::KernelCodeFailed`].
    AskKernelForCode,
    /// Have the kernel drop its user code, or the request for one.
    DropKernelCode,
    /// Show this.
    Status(Status),
}
