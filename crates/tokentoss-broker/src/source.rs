//! Where a secret is read from: a file, an environment variable, or a systemd credential.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tokentoss_core::Secret;
use zeroize::Zeroizing;

use crate::config::ConfigError;

/// The next step for a file that cannot be read.
const UNREADABLE_FILE: &str = "create the file, or let the broker's user read it";
/// The reason for an environment variable that cannot be read.
const UNSET_VARIABLE: &str = "the environment variable is not set, or is not UTF-8; \
     set it, or name another one, such as { env = \"CLIENT_SECRET\" }";
/// Where systemd puts the credentials of a unit (`LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret is read from. In the configuration it is a path, or a table with one of `file`, `env` and
/// `credential`.
#[derive(Clone, PartialEq, Eq)]
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
    /// The file that holds it; none for an environment variable. `setting` is where the configuration names
    /// it.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for a credential with an invalid name, or without `$CREDENTIALS_DIRECTORY`.
    pub fn path(&self, setting: &str) -> Result<Option<PathBuf>, ConfigError> {
        match self {
            Self::File(path) => Ok(Some(path.clone())),
            Self::Environment(_) => Ok(None),
            Self::Credential(name) => {
                if name.is_empty() || name.contains('/') || name == "." || name == ".." {
                    return Err(wrong(
                        setting,
                        "the name of the credential is empty or has a slash; \
                         use the name in LoadCredential=, \
                         such as { credential = \"client-secret\" }",
                    ));
                }
                let folder = std::env::var_os(CREDENTIALS).ok_or_else(|| {
                    wrong(
                        setting,
                        "CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the systemd unit",
                    )
                })?;
                Ok(Some(Path::new(&folder).join(name)))
            }
        }
    }

    /// Reads the text of the source.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] if it cannot be read. The value may be the secret itself by mistake, so the
    /// message shows only a value that is a path for certain.
    pub fn text(&self, setting: &str) -> Result<Zeroizing<String>, ConfigError> {
        if let Self::Environment(name) = self {
            let value = std::env::var(name).map(Zeroizing::new);
            return value.map_err(|_| wrong(setting, UNSET_VARIABLE));
        }
        let path = self.path(setting)?.unwrap_or_default();
        let text = fs::read_to_string(&path).map(Zeroizing::new);
        text.map_err(|error| match self {
            Self::File(path) if is_path(path) => {
                let path = path.display();
                wrong(setting, format!("{path} cannot be read: {error}; {UNREADABLE_FILE}"))
            }
            Self::File(_) => wrong(
                setting,
                "the value is not the path of a file; \
                 put the secret into a file and set its path, such as \"/run/secrets/client\"",
            ),
            _ => wrong(
                setting,
                format!("the credential cannot be read: {error}; check LoadCredential= in the systemd unit"),
            ),
        })
    }

    /// Reads the secret, without trailing line breaks.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] if it cannot be read or is empty.
    pub fn secret(&self, setting: &str) -> Result<Secret, ConfigError> {
        let text = self.text(setting)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(wrong(
                setting,
                "the secret is empty; write it into the file, variable or credential that this setting names",
            ));
        }
        Ok(Secret::new(secret.to_owned()))
    }
}

fn wrong(setting: &str, reason: impl Into<Cow<'static, str>>) -> ConfigError {
    ConfigError::Setting { setting: setting.to_owned(), reason: reason.into() }
}

/// Whether the file or one of its folders exists. A slash alone is no proof, because secrets can contain
/// slashes.
fn is_path(path: &Path) -> bool {
    path.ancestors().any(|part| part.parent().is_some() && part.exists())
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File(…)",
            Self::Environment(_) => "Environment(…)",
            Self::Credential(_) => "Credential(…)",
        })
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
            _ => Err(A::Error::custom("a source needs exactly one of `file`, `env` and `credential`")),
        }
    }
}
