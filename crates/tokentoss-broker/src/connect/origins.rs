//! The addresses of the configuration at which browsers reach broker, notebook pages and applications.

use std::collections::BTreeMap;

use tokentoss_core::endpoint::EndpointUrl;

use super::Way;
use crate::config::{Config, ConfigError, ProviderConfig};

/// The origins, as browsers name them.
#[derive(Debug)]
pub struct Origins {
    /// The broker's own.
    pub(super) public_origin: Option<String>,
    /// Those of notebook pages that may begin a sign-in.
    pub(super) pages: Vec<String>,
    /// Those of server applications, by the callers' names.
    pub(super) applications: BTreeMap<String, String>,
}

impl Origins {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with an address, or that one is missing.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: setting.to_owned(),
            reason: reason.into(),
        };
        let origin_of = |address: &str, setting: &str| match EndpointUrl::parse(address) {
            Ok(url) if url.origin() == address.trim_end_matches('/') => Ok(url.origin().to_owned()),
            _ => {
                Err(wrong(setting, "an origin is https://host or https://host:port, or http on this machine"))
            }
        };
        let public_origin =
            config.public_url.as_deref().map(|address| origin_of(address, "public_url")).transpose()?;
        let pages = config.pages.iter().map(|page| origin_of(page, "pages")).collect::<Result<_, _>>()?;
        let by_page = |(_, provider): &(&String, &ProviderConfig)| {
            provider.sign_in.as_ref().is_some_and(|sign_in| sign_in.way == Way::Page)
        };
        if public_origin.is_none() && config.providers.iter().any(|entry| by_page(&entry)) {
            return Err(wrong("public_url", "sign-ins by the broker's pages need it"));
        }
        let mut applications = BTreeMap::new();
        for (name, caller) in &config.callers {
            if let Some(address) = &caller.public_url {
                let setting = format!("callers.{name}.public_url");
                applications.insert(name.clone(), origin_of(address, &setting)?);
            }
        }
        Ok(Self { public_origin, pages, applications })
    }
}
