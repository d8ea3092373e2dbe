//! Where a secret is: in a file, in an environment variable, or in a credential that systemd passes on.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tokentoss_core::Secret;
use zeroize::Zeroizing;

use crate::config::{ConfigError, text_of};

/// Where systemd puts the credentials of a unit (`LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret is. In the configuration it is a path, or a table with one of `file`, `env` and `credential`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// The file of this name below `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    file: Option<PathBuf>,
    env: Option<String>,
    credential: Option<String>,
}

impl Source {
    /// The file that holds it; none for an environment variable.
    ///
    /// # Errors
    /// A credential where systemd passed none on.
    pub fn path(&self) -> Result<Option<PathBuf>, ConfigError> {
        match self {
            Self::File(path) => Ok(Some(path.clone())),
            Self::Environment(_) => Ok(None),
            Self::Credential(name) => {
                let wrong = |reason: &'static str| ConfigError::Setting {
                    setting: self.to_string(),
                    reason: reason.into(),
                };
                if name.is_empty() || name.contains('/') || name == "." || name == ".." {
                    return Err(wrong("a credential is a name without slashes"));
                }
                let folder = std::env::var_os(CREDENTIALS).ok_or_else(|| {
                    wrong("CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the systemd unit")
                })?;
                Ok(Some(Path::new(&folder).join(name)))
            }
        }
    }

    /// The text that is there.
    ///
    /// # Errors
    /// That there is none.
    pub fn text(&self) -> Result<Zeroizing<String>, ConfigError> {
        if let Self::Environment(name) = self {
            return std::env::var(name).map(Zeroizing::new).map_err(|_| ConfigError::Setting {
                setting: self.to_string(),
                reason: "it is not set, or no text".into(),
            });
        }
        let path = self.path()?.unwrap_or_default();
        text_of(&path).map(Zeroizing::new)
    }

    /// The secret, without the line end that editors put behind it.
    ///
    /// # Errors
    /// That there is none.
    pub fn secret(&self) -> Result<Secret, ConfigError> {
        let text = self.text()?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(ConfigError::Setting { setting: self.to_string(), reason: "it is empty".into() });
        }
        Ok(Secret::new(secret.to_owned()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or a table with one of `file`, `env` and `credential`")
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<Source, E> {
        Ok(Source::File(path.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
        match Table::deserialize(MapAccessDeserializer::new(map))? {
            Table { file: Some(file), env: None, credential: None } => Ok(Source::File(file)),
            Table { file: None, env: Some(name), credential: None } => Ok(Source::Environment(name)),
            Table { file: None, env: None, credential: Some(name) } => Ok(Source::Credential(name)),
            _ => Err(A::Error::custom("exactly one of `file`, `env` and `credential`")),
        }
    }
}
