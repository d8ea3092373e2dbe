//! The error codes that the flow uses, and the sentence for each. `table.rs` is made from
//! `error_codes.json` and the texts in English.

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Culprit {
    /// Something in the set-up: a file, an address, a scope.
    Configuration,
    /// The browser, the network, the clock, the kernel.
    Environment,
    /// The provider broke the protocol; its answer was not used.
    ProviderMisbehaved,
    /// The provider said no.
    ProviderRefused,
    /// Somebody who is not part of this sign-in; dropped, never ends it.
    Stranger,
    /// The person in front of the screen.
    User,
}

impl Culprit {
    /// The name used in files and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Environment => "environment",
            Self::ProviderMisbehaved => "provider_misbehaved",
            Self::ProviderRefused => "provider_refused",
            Self::Stranger => "stranger",
            Self::User => "user",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $culprit:ident $default:literal $message:literal;)*) => {
        /// A stable error code; its text never changes its meaning and is never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $message] $variant,)*
        }

        impl ErrorCode {
            /// Every code, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it is written in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whose doing it is.
            #[must_use]
            pub const fn culprit(self) -> Culprit {
                match self { $(Self::$variant => Culprit::$culprit,)* }
            }

            /// The sentence with the next step; `{subject}` stands for what it is about.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// What `{subject}` reads as when the error names nothing.
            #[must_use]
            pub const fn subject_default(self) -> &'static str {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

include!("table.rs");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use alloc::string::ToString;

    #[test]
    fn codes_are_snake_case_and_messages_are_sentences() {
        for code in ErrorCode::ALL {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert_eq!(code.message().contains("{subject}"), !code.subject_default().is_empty(), "{code:?}");
            let sentence = Error::from(*code).to_string();
            assert!(sentence.ends_with('.') && !sentence.contains('{'), "{sentence}");
        }
    }
}
