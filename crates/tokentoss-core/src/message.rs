//! What the popup's pages and the notebook page say to each other: JSON in a string, closed.

use alloc::string::String;

use serde::Serialize;

use crate::json::Object;
use crate::secret::Secret;

/// The longest message that is looked at, in bytes.
const LENGTH_LIMIT: usize = 64 * 1024;

/// From a page in the popup to the notebook page.
#[derive(Debug)]
pub enum FromPopup {
    /// The start page has loaded.
    Ready {},
    /// The listener knows this page now; the client secret comes along, sealed to it.
    Registered {
        /// The sealed client secret, when the client has one.
        secret: Option<String>,
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
            "registered" => (Self::Registered { secret: object.text("secret") }, "secret"),
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
    Start { ticket: &'a str, proof: &'a str, url: &'a str, key: String },
    Envelope { sealed: &'a str },
    Done {},
}

impl ToPopup<'_> {
    pub(crate) fn write(&self) -> Secret {
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }
}
