//! Names of scopes that a provider grants under another name than the requested one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tokentoss_custody::Scopes;

use crate::catalogue::Preset;
use crate::connect::scopes_in;

/// The usual separator of a list (RFC 6749 section 3.3).
const USUAL_SEPARATOR: char = ' ';

/// How a provider writes the scopes that it grants.
///
/// Granted scopes and scopes that callers name are both mapped to the provider's own names, so that they can
/// be compared.
#[derive(Clone, Debug)]
pub struct ScopeNames {
    separator: char,
    /// The provider's own names by requested names.
    aliases: BTreeMap<String, String>,
}

impl Default for ScopeNames {
    fn default() -> Self {
        Self { separator: USUAL_SEPARATOR, aliases: BTreeMap::new() }
    }
}

impl ScopeNames {
    /// The names of a preset.
    #[must_use]
    pub fn of(preset: &Preset) -> Self {
        Self {
            separator: preset.scope_separator.unwrap_or(USUAL_SEPARATOR),
            aliases: preset.scope_aliases.clone(),
        }
    }

    /// The same scopes under the provider's own names.
    #[must_use]
    pub fn own<'a>(&self, scopes: &'a Scopes) -> Cow<'a, Scopes> {
        if scopes.is_empty() || (self.separator == USUAL_SEPARATOR && self.aliases.is_empty()) {
            return Cow::Borrowed(scopes);
        }
        let list = scopes.to_list();
        let each = scopes_in(&list).flat_map(|scope| scope.split(self.separator));
        let named = each.map(|scope| self.aliases.get(scope).map_or(scope, String::as_str));
        Cow::Owned(named.filter(|scope| !scope.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::preset;

    fn own(provider: &str, list: &str) -> String {
        let preset = preset(provider, &BTreeMap::new()).expect("a preset");
        ScopeNames::of(&preset).own(&Scopes::read(list)).to_list()
    }

    #[test]
    fn a_name_that_is_asked_for_is_the_one_that_is_granted() {
        let email = "https://www.googleapis.com/auth/userinfo.email";
        assert_eq!(own("google", "openid email"), format!("{email} openid"));
        assert_eq!(own("google", &format!("{email} email")), email);
        assert_eq!(own("google", "a,b"), "a,b");
        assert_eq!(own("google", ""), "");
    }

    #[test]
    fn a_list_is_taken_apart_as_the_provider_writes_it() {
        assert_eq!(own("github", "read:user,gist,,repo"), "gist read:user repo");
        assert_eq!(own("github", "gist read:user"), "gist read:user");
        assert_eq!(own("github", ","), "");
    }

    #[test]
    fn what_nothing_is_known_of_stays_as_it_is() {
        let scopes = Scopes::read("email a,b");
        assert!(matches!(ScopeNames::default().own(&scopes), Cow::Borrowed(same) if *same == scopes));
    }
}
