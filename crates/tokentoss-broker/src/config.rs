//! The configuration file. It contains no secrets; it names the files that contain them.

mod malformed;
pub(crate) mod ranges;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use serde::Deserialize;
use tokentoss_core::Secret;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_custody::{ClientRevision, Scopes};

use crate::callers::{ClusterConfig, HubConfig, UnixUser};
use crate::catalogue::{self, CatalogueError, Preset};
use crate::connect::{SignInConfig, SignInSettings};
use crate::scope_names::ScopeNames;
use crate::socket::SocketConfig;
use crate::source::Source;
use crate::through::{AllowConfig, LimitsConfig};

/// The reason for an endpoint that would send secrets over an insecure connection (RFC 6749 section 3.2).
const UNSAFE_ENDPOINT: &str = "is not a URL that is safe for secrets; \
     use https, such as \"https://idp.example/token\", \
     or http on this machine, such as \"http://127.0.0.1:8080/token\"";
/// A whole day.
const DAY: Duration = Duration::from_secs(86_400);
/// After so many days a provider forgets that says nothing of it, as Google does.
const USUAL_MEMORY: u32 = 180;

/// An error in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {reason}; check the path, and that the broker's user may read the file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The file cannot be parsed.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        reason: String,
    },
    /// A setting has an invalid value.
    #[error("{setting}: {reason}")]
    Setting {
        /// The setting, as it is written in the file.
        setting: String,
        /// The cause, and the next step.
        reason: Cow<'static, str>,
    },
}

/// The file, as it is written. The database's address may hold a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where callers connect.
    #[serde(default = "usual_listen")]
    pub listen: SocketAddr,
    /// Where administrators and probes connect.
    #[serde(default = "usual_admin_listen")]
    pub admin_listen: SocketAddr,
    /// The Unix socket for users of this machine, beside the TCP port.
    #[serde(default)]
    pub socket: Option<SocketConfig>,
    /// The database: `sqlite:<path>` or `postgres://…`.
    pub database: String,
    /// The key ring.
    pub key_ring: Source,
    /// The folder of the journal, on a disk of this machine and of this process alone; in memory without one.
    #[serde(default)]
    pub journal: Option<PathBuf>,
    /// The address at which browsers reach this broker, without a path; needed for sign-ins by its pages.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The origins of notebook pages that may begin a sign-in. Those of this machine may where `public_url`
    /// is of it too.
    #[serde(default)]
    pub pages: Vec<String>,
    /// The name of the broker among the services of JupyterHub.
    #[serde(default = "usual_service")]
    pub service: String,
    /// Limits of calls made for callers.
    #[serde(default)]
    pub through: LimitsConfig,
    /// The providers, by the names that callers use.
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderConfig>,
    /// The callers, by their names in logs.
    #[serde(default)]
    pub callers: BTreeMap<String, CallerConfig>,
    /// The JupyterHubs whose users are callers; the name of a hub is the tenant of its users.
    #[serde(default)]
    pub hubs: BTreeMap<String, HubConfig>,
    /// The Kubernetes clusters whose service accounts are callers.
    #[serde(default)]
    pub clusters: BTreeMap<String, ClusterConfig>,
}

/// A provider and the client that is registered with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// A provider that is known by name, whose addresses need not be given.
    #[serde(default)]
    pub preset: Option<String>,
    /// What the preset's addresses need: the tenant, the domain, the realm.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Where codes and refresh tokens are sent.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// Where tokens are revoked (RFC 7009), if the provider does that.
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    /// How users sign in; without it there are no new sign-ins.
    #[serde(default)]
    pub sign_in: Option<SignInConfig>,
    /// The client.
    pub client_id: String,
    /// Its secrets, in the order in which they are tried.
    #[serde(default)]
    pub client_secrets: Vec<Source>,
    /// How the client authenticates; the default is that of the preset, or its secret in the form.
    #[serde(default)]
    pub authentication: Option<AuthenticationKind>,
    /// To be raised whenever the client or its secrets change, so that what was refused before is tried
    /// again.
    #[serde(default = "first_revision")]
    pub client_revision: u64,
    /// After how many days without use the provider forgets a refresh token; as the preset says where this is missing.
    #[serde(default)]
    pub forgets_after_days: Option<u32>,
    /// The audiences for which callers may ask for tokens, besides the provider's usual one.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The calls that may be made with its tokens; none if there is no entry.
    #[serde(default)]
    pub through: Vec<AllowConfig>,
}

/// The client authentication method (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationKind {
    /// By its secret in the form.
    #[default]
    #[serde(alias = "client_secret_post")]
    Post,
    /// By HTTP Basic authentication.
    #[serde(alias = "client_secret_basic")]
    Basic,
    /// By its identifier alone.
    None,
}

/// A caller: a server that acts for its users, or a machine of one person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerConfig {
    /// Its keys; two at most, so that one can replace the other. A user of this machine needs none.
    #[serde(default)]
    pub keys: Vec<Source>,
    /// The Unix user that identifies this caller at the socket.
    #[serde(default)]
    pub unix_user: Option<UnixUser>,
    /// The fixed tenant of a caller for one person; needs `user` too.
    pub tenant: Option<String>,
    /// The fixed user of such a caller.
    pub user: Option<String>,
    /// The tenants that it may act for; an empty list allows all.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// The providers that it may ask for; all if it names none.
    #[serde(default)]
    pub providers: Vec<String>,
    /// The address at which browsers reach the application, where it passes `/auth/…` on to this broker.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The header with the tenant.
    #[serde(default = "usual_tenant_header")]
    pub tenant_header: String,
    /// The header with the user.
    #[serde(default = "usual_user_header")]
    pub user_header: String,
}

/// A provider that is ready for use.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// How users sign in.
    pub sign_in: Option<SignInSettings>,
    /// Where refresh tokens are sent.
    pub token_endpoint: EndpointUrl,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<EndpointUrl>,
    /// The client.
    pub client_id: String,
    /// Its secrets.
    pub client_secrets: Vec<Secret>,
    /// The client authentication method.
    pub authentication: AuthenticationKind,
    /// The client's revision.
    pub client_revision: ClientRevision,
    /// After how long without use the provider forgets a refresh token.
    pub forgets_after: Duration,
    /// The audiences for which callers may ask for tokens, besides the usual one.
    pub audiences: Vec<String>,
    /// Its own names of scopes.
    pub scope_names: ScopeNames,
}

impl Provider {
    /// The issuer identifier; none if the configuration names none, because there are no sign-ins.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.sign_in.as_ref().map(|settings| settings.client.provider().issuer())
    }

    /// Whether tokens of this issuer belong to this provider. Its name in the configuration may have been
    /// used for another one.
    #[must_use]
    pub fn is_of(&self, issuer: &str) -> bool {
        self.issuer().is_none_or(|own| own == issuer)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl AuthenticationKind {
    /// The registered name (RFC 7591 section 2).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "client_secret_post",
            Self::Basic => "client_secret_basic",
            Self::None => "none",
        }
    }
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`] with the cause.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|reason| ConfigError::Unreadable { path: path.to_owned(), reason })?;
        toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            reason: malformed::reason(&text, &error),
        })
    }

    /// The providers with the secrets of their files.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid entry.
    pub fn providers(&self) -> Result<BTreeMap<String, Provider>, ConfigError> {
        self.providers.iter().map(|(name, config)| Ok((name.clone(), config.open(name)?))).collect()
    }
}

impl Provider {
    /// The scopes of an answer under the provider's own names.
    pub(crate) fn own_scopes(&self, scopes: Option<&Scopes>) -> Option<Scopes> {
        scopes.map(|scopes| self.scope_names.own(scopes).into_owned())
    }
}

impl ProviderConfig {
    /// The preset of the provider, if one is set.
    fn known(&self) -> Result<Option<Preset>, CatalogueError> {
        self.preset.as_ref().map(|name| catalogue::preset(name, &self.parameters)).transpose()
    }

    /// The client authentication method of configuration and preset.
    pub(crate) fn shown_authentication(&self) -> AuthenticationKind {
        self.authentication(self.known().ok().flatten().as_ref())
    }

    fn authentication(&self, preset: Option<&Preset>) -> AuthenticationKind {
        let of_preset = preset.and_then(|preset| preset.token_endpoint_auth_method);
        self.authentication.or(of_preset).unwrap_or_default()
    }

    /// The provider with its secrets.
    pub(crate) fn open(&self, name: &str) -> Result<Provider, ConfigError> {
        let setting_error = |setting: &str, reason: Cow<'static, str>| ConfigError::Setting {
            setting: format!("providers.{name}.{setting}"),
            reason,
        };
        let wrong = |setting: &str, reason: &'static str| Err(setting_error(setting, reason.into()));
        let preset =
            self.known().map_err(|error| setting_error(&error.setting(), error.to_string().into()))?;
        if preset.is_none()
            && let Some(parameter) = self.parameters.keys().next()
        {
            return wrong(
                &format!("parameters.{parameter}"),
                "parameters need a preset, and none is set; \
                 set preset, such as preset = \"okta\", or remove parameters",
            );
        }
        let token_endpoint =
            self.token_endpoint.as_ref().or(preset.as_ref().map(|preset| &preset.token_endpoint));
        let Some(token_endpoint) = token_endpoint else {
            return wrong(
                "token_endpoint",
                "is missing, and no preset provides it; \
                 set it, such as \"https://idp.example/token\", or set preset",
            );
        };
        let Ok(token_endpoint) = EndpointUrl::parse(token_endpoint) else {
            return wrong("token_endpoint", UNSAFE_ENDPOINT);
        };
        let of_preset = preset.as_ref().and_then(|preset| preset.revocation_endpoint.as_deref());
        let revocation_endpoint = self.revocation_endpoint.as_deref().or(of_preset);
        let revocation_endpoint = match revocation_endpoint.map(EndpointUrl::parse) {
            None => None,
            Some(Ok(endpoint)) => Some(endpoint),
            Some(Err(_)) => {
                return wrong("revocation_endpoint", UNSAFE_ENDPOINT);
            }
        };
        let authentication = self.authentication(preset.as_ref());
        let setting = format!("providers.{name}.client_secrets");
        let client_secrets = self.client_secrets.iter().map(|source| source.secret(&setting));
        let client_secrets = client_secrets.collect::<Result<Vec<_>, _>>()?;
        match (authentication, client_secrets.is_empty()) {
            (AuthenticationKind::None, false) => {
                return wrong(
                    "client_secrets",
                    "must be empty with authentication = \"none\"; \
                     remove client_secrets, or set authentication = \"post\"",
                );
            }
            (AuthenticationKind::Post | AuthenticationKind::Basic, true) => {
                return wrong(
                    "client_secrets",
                    "is empty, but this authentication needs a secret; \
                     set client_secrets = [\"/run/secrets/client\"], \
                     or authentication = \"none\" for a public client",
                );
            }
            _ => {}
        }
        let sign_in = match &self.sign_in {
            Some(sign_in) => Some(
                sign_in
                    .open(&self.client_id, token_endpoint.as_str(), authentication.name(), preset.as_ref())
                    .map_err(|(setting, reason)| {
                        setting_error(&format!("sign_in.{setting}"), reason.into())
                    })?,
            ),
            None => None,
        };
        let of_preset = preset.as_ref().and_then(|preset| preset.forgets_after_days);
        let forgets_after_days = self.forgets_after_days.or(of_preset).unwrap_or(USUAL_MEMORY);
        Ok(Provider {
            name: name.to_owned(),
            sign_in,
            token_endpoint,
            revocation_endpoint,
            client_id: self.client_id.clone(),
            client_secrets,
            authentication,
            client_revision: ClientRevision(self.client_revision),
            forgets_after: DAY * forgets_after_days,
            audiences: self.audiences.clone(),
            scope_names: preset.as_ref().map(ScopeNames::of).unwrap_or_default(),
        })
    }
}

fn usual_service() -> String {
    "tokentoss".to_owned()
}

fn usual_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8765))
}

fn usual_admin_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8766))
}

const fn first_revision() -> u64 {
    1
}

fn usual_tenant_header() -> String {
    "x-tokentoss-tenant".to_owned()
}

fn usual_user_header() -> String {
    "x-tokentoss-user".to_owned()
}
