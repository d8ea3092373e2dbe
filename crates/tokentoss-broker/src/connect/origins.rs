//! The addresses of the configuration at which browsers reach broker, notebook pages and applications.

use std::collections::{BTreeMap, BTreeSet};

use tokentoss_core::endpoint::EndpointUrl;

use super::Way;
use crate::config::{Config, ConfigError, ProviderConfig};

/// The origins, serialised as browsers do.
#[derive(Debug)]
pub struct Origins {
    /// The origin of the broker.
    pub(super) public_origin: Option<String>,
    /// The origins of notebook pages that may start a sign-in.
    pub(super) pages: Vec<String>,
    /// The tenants whose users share a machine.
    pub(super) shared: SharedTenants,
    /// The origins of server applications, by the callers' names.
    pub(super) applications: BTreeMap<String, String>,
}

/// The tenants that several users of one machine reach: by the broker's Unix socket, or by a JupyterHub. A
/// page of that machine may be any of theirs.
#[derive(Debug)]
pub struct SharedTenants {
    names: BTreeSet<String>,
    /// A Unix user of the machine may name any tenant.
    are_all: bool,
}

impl SharedTenants {
    fn of(config: &Config) -> Self {
        let mut names: BTreeSet<String> = config.hubs.keys().cloned().collect();
        names.extend(config.socket.iter().filter_map(|socket| socket.tenant.clone()));
        let users = || config.callers.values().filter(|caller| caller.unix_user.is_some());
        names.extend(users().flat_map(|caller| caller.tenant.iter().chain(&caller.tenants)).cloned());
        let are_all = users().any(|caller| caller.tenant.is_none() && caller.tenants.is_empty());
        Self { names, are_all }
    }

    /// Whether users of this tenant share a machine.
    pub(super) fn contains(&self, tenant: &str) -> bool {
        self.are_all || self.names.contains(tenant)
    }
}

impl Origins {
    /// Reads the origins of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for an invalid or missing address.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: setting.to_owned(),
            reason: reason.into(),
        };
        let origin_of = |address: &str, setting: &str| match EndpointUrl::parse(address) {
            Ok(url) if url.origin() == address.trim_end_matches('/') => Ok(url.origin().to_owned()),
            _ => Err(wrong(
                setting,
                "is not an origin; use https without a path, such as \"https://broker.example\", \
                 or http on this machine, such as \"http://127.0.0.1:8765\"",
            )),
        };
        let public_origin =
            config.public_url.as_deref().map(|address| origin_of(address, "public_url")).transpose()?;
        let pages = config.pages.iter().map(|page| origin_of(page, "pages")).collect::<Result<_, _>>()?;
        let by_page = |(_, provider): &(&String, &ProviderConfig)| {
            provider.sign_in.as_ref().is_some_and(|sign_in| sign_in.way == Way::Page)
        };
        if public_origin.is_none() && config.providers.iter().any(|entry| by_page(&entry)) {
            return Err(wrong(
                "public_url",
                "is missing, but way = \"page\" needs it; set it, such as \"https://broker.example\"",
            ));
        }
        let mut applications = BTreeMap::new();
        for (name, caller) in &config.callers {
            if let Some(address) = &caller.public_url {
                let setting = format!("callers.{name}.public_url");
                applications.insert(name.clone(), origin_of(address, &setting)?);
            }
        }
        Ok(Self { public_origin, pages, shared: SharedTenants::of(config), applications })
    }
}
