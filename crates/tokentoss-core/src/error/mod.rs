//! What can go wrong, sorted by whose doing it is.

mod about;
mod code;

pub use about::About;
pub use code::{Culprit, ErrorCode};

use alloc::string::String;
use core::fmt;

/// A refusal with a stable code and, where there is one, the host or name it is about.
///
/// `Display` is the whole sentence with the next step; it holds no secret and no provider text
/// that was not sanitised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    about: Option<About>,
}

impl Error {
    /// An error about something that may be named: an endpoint, a parameter, a provider's code.
    #[must_use]
    pub fn about(code: ErrorCode, about: &str) -> Self {
        Self { code, about: About::sanitised(about) }
    }

    /// A provider's refusal as one of ours, about its host; a word that is not among the `known` ones is kept as text.
    pub(crate) fn of_provider(word: &str, known: &[ErrorCode], host: &str) -> Self {
        match known.iter().find(|code| code.as_str() == word) {
            Some(code) => Self::about(*code, host),
            None => Self::about(ErrorCode::ProviderError, word),
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The whole sentence with the next step.
    #[must_use]
    pub fn message(&self) -> String {
        let about = self.about.as_ref().map_or(self.code.subject_default(), About::as_str);
        fill(self.code.message(), about)
    }

    /// What the error is about, already safe to show.
    #[must_use]
    pub fn is_about(&self) -> Option<&About> {
        self.about.as_ref()
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self { code, about: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for Error {}

/// Puts what the error is about in the place of `{subject}`, the only braces that messages have.
fn fill(message: &str, about: &str) -> String {
    message.split_inclusive('}').fold(String::new(), |mut filled, part| {
        match part.split_once('{') {
            Some((before, _)) => filled.extend([before, about]),
            None => filled.push_str(part),
        }
        filled
    })
}
