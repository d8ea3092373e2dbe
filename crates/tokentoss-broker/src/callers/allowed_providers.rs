//! The providers that a caller may ask for.

use std::sync::Arc;

/// All providers of the configuration, or only those that the caller's entry names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedProviders {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(Arc<[String]>),
}

impl AllowedProviders {
    /// Those of an entry of the configuration, which allows all where it names none.
    pub(super) fn named(names: &[String]) -> Self {
        if names.is_empty() { Self::All } else { Self::Only(names.into()) }
    }

    /// Whether the caller may ask for the provider of this name.
    #[must_use]
    pub fn contain(&self, provider: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == provider),
        }
    }
}
