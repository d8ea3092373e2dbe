//! The providers that are known by name. The table is the one of the Python package; a test compares the two files.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::AuthenticationKind;

const TABLE: &str = include_str!("../providers.json");

/// What the table says of a provider; members that only notebooks need are passed over.
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
    /// How a client with a secret shows who it is.
    pub token_endpoint_auth_method: Option<AuthenticationKind>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Where a provider without ID tokens says who signed in.
    pub identity_endpoint: Option<String>,
    /// Under which names it says so.
    #[serde(default)]
    pub identity_members: BTreeMap<String, String>,
    /// Whether there are ID tokens.
    #[serde(default = "yes")]
    pub openid_connect: bool,
    /// The signature algorithms of its ID tokens; the usual ones where it names none.
    #[serde(default)]
    pub id_token_signing_algs: Vec<String>,
    /// What is asked for where nobody says otherwise.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Extra parameters of the authorization request.
    #[serde(default)]
    pub authorization_params: BTreeMap<String, String>,
    /// Those that make it give a refresh token to somebody who consented before.
    #[serde(default)]
    pub consent_params: BTreeMap<String, String>,
    /// Whether it gives a refresh token for `offline_access` only after a new consent (OpenID Connect Core section 11).
    #[serde(default = "yes")]
    pub offline_access_needs_consent: bool,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Clone, Debug, Deserialize)]
struct Parameter {
    default: Option<String>,
    meaning: String,
}

#[derive(Deserialize)]
struct Table {
    providers: BTreeMap<String, Preset>,
}

/// Why a name stands for no provider.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogueError {
    /// Nobody goes by it.
    #[error("no provider goes by this name; known are {0}")]
    Unknown(String),
    /// Something must be said first.
    #[error("it needs the parameter `{name}`: {meaning}")]
    Missing {
        /// The parameter.
        name: String,
        /// What it means.
        meaning: String,
    },
    /// A value that could not be part of an address.
    #[error("the parameter `{0}` holds characters that no address has there")]
    Malformed(String),
}

/// The provider of a name, with its parameters put into its addresses.
///
/// # Errors
/// That there is none, or which parameter is missing or malformed.
pub fn preset(name: &str, given: &BTreeMap<String, String>) -> Result<Preset, CatalogueError> {
    let mut table: Table = serde_json::from_str(TABLE).map_err(|_| CatalogueError::Unknown(String::new()))?;
    let Some(mut preset) = table.providers.remove(name) else {
        let names: Vec<String> = table.providers.into_keys().collect();
        return Err(CatalogueError::Unknown(names.join(", ")));
    };
    for (name, parameter) in std::mem::take(&mut preset.parameters) {
        let value = given.get(&name).cloned().or(parameter.default);
        let value = value
            .ok_or_else(|| CatalogueError::Missing { name: name.clone(), meaning: parameter.meaning })?;
        if value.is_empty() || !value.bytes().all(is_part) {
            return Err(CatalogueError::Malformed(name));
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

/// A byte of a host with its port, or of one segment of a path.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte)
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
    fn what_is_missing_or_malformed_is_named() {
        let missing = preset("okta", &given(&[])).expect_err("a refusal");
        assert!(matches!(missing, CatalogueError::Missing { ref name, .. } if name == "domain"), "{missing}");
        let hostile = preset("okta", &given(&[("domain", "acme.example/x?y")])).expect_err("a refusal");
        assert_eq!(hostile, CatalogueError::Malformed("domain".to_owned()));
        assert!(
            matches!(preset("nobody", &given(&[])), Err(CatalogueError::Unknown(names)) if names.contains("google"))
        );
    }
}
