//! The sign-in settings of a provider, as configured and as used.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokentoss_core::client::Client;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::error::{Error, ErrorCode};
use tokentoss_core::provider::Provider;

use crate::catalogue::Preset;
use crate::config::AuthenticationKind;

/// The algorithms of ID tokens where neither table nor configuration names any.
const USUAL_ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/// The method of a sign-in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By pages of the broker, to which the provider sends the user back.
    Page,
    /// By a page of the notebook, which seals the code to the broker.
    Deposit,
}

impl Way {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Deposit => "deposit",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        [Self::Page, Self::Deposit].into_iter().find(|way| way.name() == name)
    }
}

/// The table `sign_in` of a provider. What the preset says need not be repeated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// The method: the broker's pages, or a deposit.
    pub way: Way,
    /// The provider's name for people.
    pub display_name: Option<String>,
    /// The issuer identifier.
    pub issuer: Option<String>,
    /// Where the popup goes.
    pub authorization_endpoint: Option<String>,
    /// Where a provider without ID tokens says who signed in.
    pub identity_endpoint: Option<String>,
    /// The member of that answer with the permanent identifier of the user.
    pub identity_subject: Option<String>,
    /// The member with the e-mail address, for display.
    pub identity_email: Option<String>,
    /// Whether there are ID tokens.
    pub openid_connect: Option<bool>,
    /// Whether the provider compares code and verifier (RFC 7636 section 4.6); those that are known by name
    /// do.
    pub checks_pkce: Option<bool>,
    /// Whether authorization responses name their issuer (RFC 9207).
    #[serde(default)]
    pub iss_parameter_supported: bool,
    /// The signature algorithms of ID tokens.
    #[serde(default)]
    pub id_token_signing_algs: Vec<String>,
    /// What is asked for where a caller names nothing else.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What callers may ask for besides.
    #[serde(default)]
    pub further_scopes: Vec<String>,
    /// Extra parameters of the authorization request.
    #[serde(default)]
    pub authorization_params: BTreeMap<String, String>,
    /// Those that make the provider ask which account to use; empty where it cannot be asked.
    pub account_choice_params: Option<BTreeMap<String, String>>,
    /// The organisation that accounts must belong to (the claim `hd`).
    pub hosted_domain: Option<String>,
    /// Static pages that are registered for the client, for deposits.
    #[serde(default)]
    pub callback_pages: Vec<String>,
}

/// Where a provider without ID tokens says who signed in.
#[derive(Clone, Debug)]
pub struct IdentitySource {
    /// The address.
    pub endpoint: EndpointUrl,
    /// The member with the permanent identifier of the user.
    pub subject: String,
    /// The member with the e-mail address.
    pub email: String,
}

/// How users of a provider sign in, ready for use.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// The method: the broker's pages, or a deposit.
    pub way: Way,
    /// The provider's name for people.
    pub display_name: String,
    /// The client, with the scopes that are asked for where a caller names none.
    pub client: Client,
    /// The provider as it asks which account to use, where it can be asked.
    pub asking_for_account: Option<Provider>,
    /// What callers may ask for besides.
    pub further_scopes: Vec<String>,
    /// Who signed in, where no ID token says it.
    pub identity: Option<IdentitySource>,
    /// What a ticket needs of the provider.
    pub description: Value,
    /// Static pages that are registered for the client.
    pub callback_pages: Vec<String>,
}

impl SignInConfig {
    /// Puts together what preset and configuration say.
    ///
    /// # Errors
    /// The setting that is missing or wrong, and what is wrong with it.
    pub fn open(
        &self,
        client_id: &str,
        token_endpoint: &str,
        auth_method: &str,
        preset: Option<&Preset>,
    ) -> Result<SignInSettings, (&'static str, String)> {
        let missing = |setting| {
            (setting, "is missing; set it, because there is no preset for this provider".to_owned())
        };
        let either = |own: &Option<String>, preset: Option<&String>| own.clone().or_else(|| preset.cloned());
        let issuer =
            either(&self.issuer, preset.map(|preset| &preset.issuer)).ok_or_else(|| missing("issuer"))?;
        let authorization_endpoint =
            either(&self.authorization_endpoint, preset.map(|preset| &preset.authorization_endpoint))
                .ok_or_else(|| missing("authorization_endpoint"))?;
        for (setting, address) in [("issuer", &issuer), ("authorization_endpoint", &authorization_endpoint)] {
            EndpointUrl::parse(address).map_err(|error| (setting, said(&error)))?;
        }
        let openid_connect =
            self.openid_connect.unwrap_or_else(|| preset.is_none_or(|preset| preset.openid_connect));
        // Without a secret, only the verifier protects a leaked code from being redeemed by an attacker.
        let is_public = auth_method == AuthenticationKind::None.name();
        if self.way == Way::Deposit && is_public && !self.checks_pkce.unwrap_or(preset.is_some()) {
            let reason = "must be true for deposits of a client without a secret; set it once you know that the provider checks PKCE";
            return Err(("checks_pkce", reason.to_owned()));
        }
        let scopes = match (self.scopes.is_empty(), preset) {
            (true, Some(preset)) => preset.scopes.clone(),
            _ => self.scopes.clone(),
        };
        let algorithms = match (self.id_token_signing_algs.is_empty(), preset) {
            (false, _) => self.id_token_signing_algs.clone(),
            (true, Some(preset)) if !preset.id_token_signing_algs.is_empty() => {
                preset.id_token_signing_algs.clone()
            }
            _ if openid_connect => USUAL_ALGORITHMS.map(str::to_owned).to_vec(),
            _ => Vec::new(),
        };
        let description = json!({
            "issuer": issuer,
            "authorization_endpoint": authorization_endpoint,
            "token_endpoint": token_endpoint,
            "token_endpoint_auth_method": auth_method,
            "iss_parameter_supported": self.iss_parameter_supported,
            "authorization_params": self.parameters(&scopes, preset),
            "id_token_signing_algs": algorithms,
            "openid_connect": openid_connect,
        });
        let provider =
            serde_json::from_value(description.clone()).map_err(|error| ("sign_in", error.to_string()))?;
        let provider = Provider::check(provider).map_err(|error| ("sign_in", said(&error)))?;
        let asking_for_account = self.asking_for_account(&description, preset)?;
        let client = Client::new(client_id.to_owned(), scopes, provider, self.hosted_domain.clone(), None)
            .map_err(|error| ("scopes", error.message()))?;
        Ok(SignInSettings {
            way: self.way,
            display_name: either(&self.display_name, preset.map(|preset| &preset.name))
                .unwrap_or_else(|| client.provider().authorization_endpoint().authority().to_owned()),
            client,
            asking_for_account,
            further_scopes: self.further_scopes.clone(),
            identity: if openid_connect { None } else { Some(self.identity(preset)?) },
            description,
            callback_pages: self.callback_pages.clone(),
        })
    }

    /// A broker is of no use without a refresh token, so it asks as each provider wants to be asked for one.
    fn parameters(&self, scopes: &[String], preset: Option<&Preset>) -> Map<String, Value> {
        let mut parameters = BTreeMap::new();
        if let Some(preset) = preset {
            parameters.extend(preset.authorization_params.clone());
            parameters.extend(preset.consent_params.clone());
        }
        let needs_consent = preset.is_none_or(|preset| preset.offline_access_needs_consent);
        if needs_consent && scopes.iter().any(|scope| scope == "offline_access") {
            parameters.insert("prompt".to_owned(), "consent".to_owned());
        }
        parameters.extend(self.authorization_params.clone());
        parameters.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    }

    /// The same provider, asked to let the user choose an account.
    fn asking_for_account(
        &self,
        description: &Value,
        preset: Option<&Preset>,
    ) -> Result<Option<Provider>, (&'static str, String)> {
        let of_preset = || preset.map(|preset| preset.account_choice_params.clone());
        let chosen = self.account_choice_params.clone().or_else(of_preset).unwrap_or_default();
        if chosen.is_empty() {
            return Ok(None);
        }
        let mut description = description.clone();
        if let Some(parameters) = description.get_mut("authorization_params").and_then(Value::as_object_mut) {
            for (name, value) in chosen {
                let before = parameters.get(&name).and_then(Value::as_str);
                let both = before.filter(|_| name == "prompt").map(|before| prompts(&value, before));
                parameters.insert(name, Value::String(both.unwrap_or(value)));
            }
        }
        let wrong = |said| ("account_choice_params", said);
        let data = serde_json::from_value(description).map_err(|error| wrong(error.to_string()))?;
        Provider::check(data).map(Some).map_err(|error| wrong(said(&error)))
    }

    fn identity(&self, preset: Option<&Preset>) -> Result<IdentitySource, (&'static str, String)> {
        let member = |own: &Option<String>, name: &str| {
            let of_preset = || preset.and_then(|preset| preset.identity_members.get(name).cloned());
            own.clone().or_else(of_preset)
        };
        let endpoint = self
            .identity_endpoint
            .clone()
            .or_else(|| preset.and_then(|preset| preset.identity_endpoint.clone()));
        let missing =
            |setting| (setting, "a provider without ID tokens needs it, to say who signed in".to_owned());
        let endpoint = endpoint.ok_or_else(|| missing("identity_endpoint"))?;
        Ok(IdentitySource {
            endpoint: EndpointUrl::parse(&endpoint).map_err(|error| ("identity_endpoint", said(&error)))?,
            subject: member(&self.identity_subject, "subject").ok_or_else(|| missing("identity_subject"))?,
            email: member(&self.identity_email, "email").unwrap_or_else(|| "email".to_owned()),
        })
    }
}

impl SignInSettings {
    /// The client for a request with these scopes, and this account suggested; none if some scope may not be
    /// asked for.
    #[must_use]
    pub fn client_for(&self, scopes: &[String], login_hint: Option<String>) -> Option<Client> {
        self.client_at(self.client.provider(), scopes, login_hint)
    }

    /// Like [`SignInSettings::client_for`], with the provider's account chooser if it has one.
    #[must_use]
    pub fn client_for_another(&self, scopes: &[String]) -> Option<Client> {
        self.client_at(
            self.asking_for_account.as_ref().unwrap_or_else(|| self.client.provider()),
            scopes,
            None,
        )
    }

    fn client_at(
        &self,
        provider: &Provider,
        scopes: &[String],
        login_hint: Option<String>,
    ) -> Option<Client> {
        let may_be_asked =
            |scope: &String| self.client.scopes().contains(scope) || self.further_scopes.contains(scope);
        if !scopes.iter().all(may_be_asked) {
            return None;
        }
        let mut all = self.client.scopes().to_vec();
        all.extend(scopes.iter().filter(|scope| !self.client.scopes().contains(scope)).cloned());
        let hosted_domain = self.client.hosted_domain().map(str::to_owned);
        Client::new(self.client.client_id().to_owned(), all, provider.clone(), hosted_domain, login_hint).ok()
    }
}

/// What is wrong, without an address: it may have a password in it.
fn said(error: &Error) -> String {
    match error.code() {
        ErrorCode::EndpointInsecure => Error::from(ErrorCode::EndpointInsecure).message(),
        _ => error.message(),
    }
}

/// The values of two parameters `prompt` in one; nothing may be asked for beside `none` (OpenID Connect Core
/// 3.1.2.1).
fn prompts(chosen: &str, before: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    for prompt in chosen.split_whitespace().chain(before.split_whitespace()) {
        if prompt != "none" && !all.contains(&prompt) {
            all.push(prompt);
        }
    }
    all.join(" ")
}
