//! The presets for known providers. The table is a copy of the Python package's; a test compares the two
//! files.

use std::collections::BTreeMap;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde::Deserialize;

use crate::config::AuthenticationKind;

const TABLE: &str = include_str!("../providers.json");

/// A preset: the settings of a known provider. Members for notebooks alone are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct Preset {
    /// The name for people.
    pub name: String,
    /// The issuer identifier.
    pub issuer: String,
    /// Where the popup goes.
    pub authorization_endpoint: String,
    /// Where codes and refresh tokens are sent.
    pub token_endpoint: String,
    /// The client authentication method.
    pub token_endpoint_auth_method: Option<AuthenticationKind>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Where a provider without ID tokens says who signed in.
    pub identity_endpoint: Option<String>,
    /// The members of the answer with subject and e-mail address.
    #[serde(default)]
    pub identity_members: BTreeMap<String, String>,
    /// Whether there are ID tokens.
    #[serde(default = "yes")]
    pub openid_connect: bool,
    /// After how many days without use it forgets a refresh token.
    pub forgets_after_days: Option<u32>,
    /// The signature algorithms of its ID tokens; the usual ones where it names none.
    #[serde(default)]
    pub id_token_signing_algs: Vec<String>,
    /// The default scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Its own names of scopes by requested names.
    #[serde(default)]
    pub scope_aliases: BTreeMap<String, String>,
    /// The separator of scopes in its answers, if it is not a space.
    pub scope_separator: Option<char>,
    /// Extra parameters of the authorization request.
    #[serde(default)]
    pub authorization_params: BTreeMap<String, String>,
    /// Parameters that make it issue a refresh token to a user who consented before.
    #[serde(default)]
    pub consent_params: BTreeMap<String, String>,
    /// Parameters that make it show an account chooser; none if it has none.
    #[serde(default = "select_account")]
    pub account_choice_params: BTreeMap<String, String>,
    /// Whether it gives a refresh token for `offline_access` only after a new consent (OpenID Connect Core
    /// section 11).
    #[serde(default = "yes")]
    pub offline_access_needs_consent: bool,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Clone, Debug, Deserialize)]
struct Parameter {
    /// The whole value, as a regular expression.
    pattern: String,
    default: Option<String>,
    meaning: String,
}

#[derive(Deserialize)]
struct Table {
    providers: BTreeMap<String, Preset>,
}

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogueError {
    /// There is no preset of this name.
    #[error("no provider goes by this name; known are {0}")]
    Unknown(String),
    /// A parameter is missing.
    #[error("it needs the parameter `{name}`: {meaning}")]
    Missing {
        /// The parameter.
        name: String,
        /// What it means.
        meaning: String,
    },
    /// A parameter has an invalid value.
    #[error("the parameter `{name}` is {meaning}")]
    Malformed {
        /// The parameter.
        name: String,
        /// What it means.
        meaning: String,
    },
    /// A parameter that the preset does not have.
    #[error("it has no parameter `{name}`; its parameters are: {known}")]
    Superfluous {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
}

impl CatalogueError {
    /// The setting that is wrong.
    #[must_use]
    pub fn setting(&self) -> String {
        match self {
            Self::Unknown(_) => "preset".to_owned(),
            Self::Missing { name, .. } | Self::Malformed { name, .. } | Self::Superfluous { name, .. } => {
                format!("parameters.{name}")
            }
        }
    }
}

/// The preset of a name, with the parameters filled into its URLs.
///
/// # Errors
/// [`CatalogueError`].
pub fn preset(name: &str, given: &BTreeMap<String, String>) -> Result<Preset, CatalogueError> {
    let mut table: Table = serde_json::from_str(TABLE).map_err(|_| CatalogueError::Unknown(String::new()))?;
    let Some(mut preset) = table.providers.remove(name) else {
        let names: Vec<String> = table.providers.into_keys().collect();
        return Err(CatalogueError::Unknown(names.join(", ")));
    };
    let parameters = std::mem::take(&mut preset.parameters);
    if let Some(name) = given.keys().find(|name| !parameters.contains_key(*name)) {
        let known: Vec<String> = parameters.into_keys().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(CatalogueError::Superfluous { name: name.clone(), known });
    }
    for (name, Parameter { pattern, default, meaning }) in parameters {
        let Some(value) = given.get(&name).cloned().or(default) else {
            return Err(CatalogueError::Missing { name, meaning });
        };
        if !value.bytes().all(is_part) || !is_whole(&pattern, &value) {
            return Err(CatalogueError::Malformed { name, meaning });
        }
        preset.replace(&format!("{{{name}}}"), &value);
    }
    Ok(preset)
}

impl Preset {
    fn replace(&mut self, place: &str, value: &str) {
        let optional = [&mut self.revocation_endpoint, &mut self.identity_endpoint];
        let addresses = [&mut self.issuer, &mut self.authorization_endpoint, &mut self.token_endpoint];
        for address in addresses.into_iter().chain(optional.into_iter().flatten()) {
            *address = address.replace(place, value);
        }
    }
}

/// Whether a pattern of the table matches all of a text.
fn is_whole(pattern: &str, text: &str) -> bool {
    let machine = PikeVM::new(&format!("^(?:{pattern})$"));
    machine.is_ok_and(|machine| machine.is_match(&mut machine.create_cache(), text))
}

/// A byte of a host with its port, or of one segment of a path.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte)
}

/// As OpenID Connect has it (Core section 3.1.2.1).
fn select_account() -> BTreeMap<String, String> {
    BTreeMap::from([("prompt".to_owned(), "select_account".to_owned())])
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_table_is_the_python_packages() {
        let theirs =
            std::fs::read_to_string("../../python/tokentoss/oauth/providers.json").expect("the table");
        assert_eq!(TABLE, theirs);
    }

    #[test]
    fn parameters_are_put_into_the_addresses() {
        let preset = preset("okta", &given(&[("domain", "acme.okta.com")])).expect("a preset");
        assert_eq!(preset.token_endpoint, "https://acme.okta.com/oauth2/v1/token");
        assert_eq!(preset.issuer, "https://acme.okta.com");
    }

    #[test]
    fn what_the_provider_does_not_have_is_refused_by_its_name() {
        let refused = preset("okta", &given(&[("domain", "acme.okta.com"), ("tenant", "x")]));
        let refused = refused.expect_err("a refusal");
        assert_eq!(refused.to_string(), "it has no parameter `tenant`; its parameters are: domain");
        let refused = preset("google", &given(&[("tenant", "x")])).expect_err("a refusal");
        assert_eq!(refused.to_string(), "it has no parameter `tenant`; its parameters are: none");
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let missing = preset("okta", &given(&[])).expect_err("a refusal");
        assert!(matches!(missing, CatalogueError::Missing { ref name, .. } if name == "domain"), "{missing}");
        let tenant = "11111111-2222-3333-4444-555555555555";
        for (provider, parameter, value) in [
            ("okta", "domain", "acme.example/x?y"),
            ("okta", "domain", ""),
            ("okta", "domain", "acme.example\n"),
            ("okta", "domain", "acme_corp.okta.com"),
            ("gitlab", "domain", "gitlab.example:port"),
            ("microsoft", "tenant", "common"),
            ("microsoft", "tenant", tenant.trim_end_matches("555")),
            ("microsoft", "tenant", &format!("{tenant}0")),
        ] {
            let refused = preset(provider, &given(&[(parameter, value)])).expect_err("a refusal");
            let is_named = matches!(&refused, CatalogueError::Malformed { name, .. } if name == parameter);
            assert!(is_named, "{value}: {refused}");
        }
        assert!(preset("microsoft", &given(&[("tenant", tenant)])).is_ok());
        assert!(preset("gitlab", &given(&[("domain", "gitlab.example:8443")])).is_ok());
        assert!(
            matches!(preset("nobody", &given(&[])), Err(CatalogueError::Unknown(names)) if names.contains("google"))
        );
    }
}
