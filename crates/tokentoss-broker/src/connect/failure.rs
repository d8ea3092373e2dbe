//! Why a sign-in ended without an account.

use tokentoss_core::{Error, ErrorCode};

/// The broker's own failures: code, sentence and action.
const OWN: [(&str, &str, &str); 4] = [
    ("confirmation_wrong", "What was typed is not what the broker's page showed. Sign in again.", "sign_in"),
    (
        "identity_unusable",
        "The provider does not say who signed in. AttemptReport this to the broker's administrator.",
        "ask_admin",
    ),
    ("provider_unavailable", "The provider cannot be reached. Sign in again in a moment.", "retry"),
    ("sign_in_interrupted", "The broker was interrupted while you signed in. Sign in again.", "sign_in"),
];

/// The reason of a failed sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error of the protocol.
    Protocol(Error),
    /// One of the broker's own failures, by its code.
    Own(&'static str),
}

impl Failure {
    /// The typed confirmation is wrong.
    pub(super) const CONFIRMATION_WRONG: Self = Self::Own("confirmation_wrong");
    /// The identity of the user is missing or invalid.
    pub(super) const IDENTITY_UNUSABLE: Self = Self::Own("identity_unusable");
    /// The provider does not answer.
    pub(super) const PROVIDER_UNAVAILABLE: Self = Self::Own("provider_unavailable");
    /// The broker or its database failed during the sign-in.
    pub(crate) const INTERRUPTED: Self = Self::Own("sign_in_interrupted");

    /// The value for the database column: the code and its subject.
    pub(super) fn to_column(&self) -> String {
        match self {
            Self::Own(code) => (*code).to_owned(),
            Self::Protocol(error) => {
                format!("{} {}", error.code().as_str(), self.about().unwrap_or_default())
            }
        }
    }

    /// Parses the value of the database column.
    pub(super) fn of_column(text: &str) -> Self {
        let (code, about) = text.split_once(' ').unwrap_or((text, ""));
        if let Some((own, ..)) = OWN.iter().find(|(own, ..)| *own == code) {
            return Self::Own(own);
        }
        match ErrorCode::ALL.iter().find(|known| known.as_str() == code) {
            Some(known) if about.is_empty() => Self::Protocol((*known).into()),
            Some(known) => Self::Protocol(Error::about(*known, about)),
            None => Self::INTERRUPTED,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Own(code) => code,
            Self::Protocol(error) => error.code().as_str(),
        }
    }

    /// The subject of the error, such as a host.
    pub(crate) fn about(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Protocol(error) => error.is_about().map(|about| about.as_str()),
        }
    }

    /// The sentence, with the next step.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Own(code) => {
                OWN.iter().find(|(own, ..)| own == code).map_or("", |(_, sentence, _)| sentence).into()
            }
            Self::Protocol(error) => error.message(),
        }
    }

    /// The suggested action.
    #[must_use]
    pub fn action(&self) -> &'static str {
        use tokentoss_core::error::Culprit;
        match self {
            Self::Own(code) => {
                OWN.iter().find(|(own, ..)| own == code).map_or("sign_in", |(.., action)| action)
            }
            Self::Protocol(error) => match error.code() {
                ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient | ErrorCode::InvalidScope => {
                    "ask_admin"
                }
                ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => "retry",
                code if matches!(code.culprit(), Culprit::Configuration | Culprit::ProviderMisbehaved) => {
                    "ask_admin"
                }
                _ => "sign_in",
            },
        }
    }
}

#[cfg(test)]
impl Failure {
    /// One of each kind.
    pub(crate) fn every() -> Vec<Self> {
        let own = OWN.map(|(code, ..)| Self::Own(code));
        ErrorCode::ALL.iter().map(|code| Self::Protocol((*code).into())).chain(own).collect()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Protocol(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_survives_a_database_column() {
        let about = Failure::Protocol(Error::about(ErrorCode::InvalidGrant, "as.example 8443"));
        for failure in Failure::every().into_iter().chain([about]) {
            assert_eq!(Failure::of_column(&failure.to_column()), failure);
            assert!(failure.sentence().ends_with('.'), "{failure:?}");
            assert!(["sign_in", "ask_admin", "retry"].contains(&failure.action()));
        }
    }
}
