//! Scopes, and the target of a token.

use std::collections::BTreeSet;

/// A set of scopes (RFC 6749 section 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Parses a space-separated list.
    #[must_use]
    pub fn read(list: &str) -> Self {
        list.split(' ').filter(|scope| !scope.is_empty()).collect()
    }

    /// Parses the list of a provider's answer, without invalid scopes: a scope consists of visible ASCII (RFC
    /// 6749 section 3.3), and a database may refuse other characters.
    #[must_use]
    pub fn of_provider(list: &str) -> Self {
        let is_scope = |scope: &&str| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
        list.split(' ').filter(is_scope).collect()
    }

    /// The list, in alphabetical order.
    #[must_use]
    pub fn to_list(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Whether this is a subset of the others.
    #[must_use]
    pub fn is_subset(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

/// The target of a token: scopes and audience.
///
/// The default is the main target: the scopes of the sign-in, and the default audience of the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The scopes; empty for those of the sign-in.
    pub scopes: Scopes,
    /// The audience; none for the default one.
    pub audience: Option<String>,
}

impl Target {
    /// Whether it is the main target.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.scopes.is_empty() && self.audience.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    #[test]
    fn of_a_provider_s_list_only_scopes_are_read() {
        let read = |list: &str| Scopes::of_provider(list).to_list();
        assert_eq!(read("b  a https://x.example/auth/y"), "a b https://x.example/auth/y");
        assert_eq!(read("a\u{0} b\n é c"), "c");
        assert_eq!(read(""), "");
    }
}
