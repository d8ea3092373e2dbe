//! Identifiers of grants, sign-ins and accounts.

use std::fmt;

use super::hex;
use crate::random;

/// Defines the type of a random identifier that cannot be guessed.
macro_rules! random_id {
    ($(#[$of:meta])* $name:ident) => {
        $(#[$of])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new random identifier.
            #[must_use]
            pub fn generate() -> Self {
                Self(random::bytes())
            }

            /// Parses the output of [`fmt::Display`].
            #[must_use]
            pub fn read(text: &str) -> Option<Self> {
                hex::read(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

random_id! {
    /// The identifier of a grant.
    GrantId
}
random_id! {
    /// The identifier of a sign-in.
    AuthorizationId
}

/// The unique key of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKey<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The user within the tenant.
    pub user: &'a str,
    /// The provider's name in the configuration.
    pub provider: &'a str,
    /// The provider's issuer identifier.
    pub issuer: &'a str,
    /// The provider's identifier of the user.
    pub subject: &'a str,
}

/// A connected account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The grant.
    pub id: GrantId,
    /// The provider's identifier of the user.
    pub subject: String,
    /// The e-mail address, for display and for choosing.
    pub email: Option<String>,
}

impl Account {
    /// Whether a text names this account: by its identifier, subject or e-mail address.
    #[must_use]
    pub fn goes_by(&self, text: &str) -> bool {
        self.subject == text
            || self.id.to_string() == text
            || self.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(text))
    }
}
