//! What the popup's pages and the notebook page say to each other: JSON in a string, closed.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::json::Object;
use crate::secret::Secret;

/// The longest message that is looked at, in bytes.
const LENGTH_LIMIT: usize = 64 * 1024;

/// From a page in the popup to the notebook page.
#[derive(Debug)]
pub enum FromPopup {
    /// The start page has loaded.
    Ready {},
    /// The start page asks the user whether this page may sign in.
    Confirming {},
    /// The listener knows this page now, if the answer proves that it is the kernel's.
    Registered {
        /// The kernel's answer, made with the attempt's answer key.
        answer: String,
    },
    /// The listener did not accept the registration.
    Refused {
        /// The listener's code for the reason.
        code: String,
    },
    /// The provider sent the popup back.
    Callback {
        /// The query of the callback's address, without `?`.
        query: Secret,
    },
    /// The listener decided on the envelope.
    Delivered {
        /// Empty for accepted tokens, else the kernel's code.
        code: String,
    },
}

impl FromPopup {
    /// Reads a message; `None` for anything that is not exactly one of them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LENGTH_LIMIT {
            return None;
        }
        let mut object = Object::read(text).ok()?;
        let (message, member) = match object.text("type")?.as_str() {
            "ready" => (Self::Ready {}, "type"),
            "confirming" => (Self::Confirming {}, "type"),
            "registered" => (Self::Registered { answer: object.required_text("answer") }, "answer"),
            "refused" => (Self::Refused { code: object.required_text("code") }, "code"),
            "callback" => (Self::Callback { query: object.secret("query")? }, "query"),
            "delivered" => (Self::Delivered { code: object.required_text("code") }, "code"),
            _ => return None,
        };
        (object.has_only(&["type", member]) && object.check().is_ok()).then_some(message)
    }
}

/// From the notebook page to a page in the popup.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ToPopup<'a> {
    Start { ticket: &'a str, key: String, sealed: String },
    Envelope { sealed: &'a str },
    Done {},
}

/// What a `start` message holds for the listener, to be sealed at once.
#[derive(Serialize)]
pub(crate) struct Start<'a> {
    /// The authorization request.
    pub(crate) url: &'a str,
    /// The public key of the attempt.
    pub(crate) key: &'a str,
    /// What the kernel gave the page for its introduction, if it answered.
    pub(crate) proof: Option<&'a str>,
    /// The key with which the answer must be made.
    pub(crate) answer_key: &'a str,
}

impl Start<'_> {
    /// # Errors
    /// `sealing_failed`, should it not be writable.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| ErrorCode::SealingFailed.into())
    }
}

impl ToPopup<'_> {
    pub(crate) fn write(&self) -> Secret {
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }
}
