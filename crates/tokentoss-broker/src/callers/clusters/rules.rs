//! Which tenant and user the service accounts of a cluster act for.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use serde::Deserialize;

use super::token::ServiceAccount;
use crate::callers::caller_policy::{CallerPolicy, PolicySettings};
use crate::callers::{AllowedProviders, AuthError, Caller, NAMING_HEADERS, is_name, reject_naming_headers};

/// A service account that may ask, or all of a namespace.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountConfig {
    /// Its namespace.
    pub namespace: String,
    /// Its name; all of the namespace without one, for which no account has an entry of its own.
    #[serde(default)]
    pub name: Option<String>,
    /// The tenant that it asks for; without one it is a server, which names tenant and user in headers.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The user that it asks for; `<namespace>/<name>` where only the tenant is named.
    #[serde(default)]
    pub user: Option<String>,
    /// The tenants that a server may name; all if it names none.
    #[serde(default)]
    pub tenants: Vec<String>,
}

/// The rules of one cluster, by namespace and name.
#[derive(Debug)]
pub(super) struct Rules(BTreeMap<(String, Option<String>), Rule>);

#[derive(Debug)]
enum Rule {
    /// The user that the configuration or the headers name.
    Policy(CallerPolicy),
    /// The user named after the service account, in this tenant.
    OwnName { tenant: String },
}

impl Rules {
    /// Reads the rules of the cluster of this name; the error is the setting that is wrong, and what is wrong
    /// with it.
    pub(super) fn of(
        cluster: &str,
        configs: &[ServiceAccountConfig],
    ) -> Result<Self, (String, &'static str)> {
        if configs.is_empty() {
            return Err(("service_accounts".to_owned(), "is empty; add the service accounts that may ask"));
        }
        let mut rules = BTreeMap::new();
        for (index, config) in configs.iter().enumerate() {
            let wrong = |setting: &str, reason| (format!("service_accounts[{index}].{setting}"), reason);
            let rule = Rule::of(cluster, config).map_err(|(setting, reason)| wrong(setting, reason))?;
            if rules.insert((config.namespace.clone(), config.name.clone()), rule).is_some() {
                return Err(wrong("name", "is the same as in another entry; keep one of them"));
            }
        }
        Ok(Self(rules))
    }

    /// The caller for a request of a service account.
    pub(super) fn caller(
        &self,
        cluster: &str,
        account: ServiceAccount,
        headers: &HeaderMap,
    ) -> Result<Caller, AuthError> {
        let ServiceAccount { namespace, name } = account;
        let own = (namespace, Some(name));
        let rule = self.0.get(&own).or_else(|| self.0.get(&(own.0.clone(), None)));
        let (namespace, name) = (own.0, own.1.unwrap_or_default());
        match rule.ok_or(AuthError::Unauthenticated)? {
            Rule::Policy(policy) => policy.caller(headers),
            Rule::OwnName { tenant } => {
                reject_naming_headers(headers)?;
                let user = format!("{namespace}/{name}");
                if !is_name(&user) {
                    return Err(AuthError::Unauthenticated);
                }
                Ok(Caller {
                    name: format!("cluster {cluster} {user}"),
                    tenant: tenant.clone(),
                    user,
                    providers: AllowedProviders::All,
                })
            }
        }
    }
}

impl Rule {
    fn of(cluster: &str, config: &ServiceAccountConfig) -> Result<Self, (&'static str, &'static str)> {
        let ServiceAccountConfig { namespace, name, tenant, user, tenants } = config;
        if !ServiceAccount::can_be(namespace, name.as_deref()) {
            return Err((
                "name",
                "namespace or name is not valid in Kubernetes; leave `name` out to mean the whole namespace",
            ));
        }
        if tenant.is_none() && name.is_none() {
            return Err((
                "name",
                "is missing; only a named service account may name tenant and user in headers",
            ));
        }
        if let (Some(tenant), None) = (tenant, user)
            && tenants.is_empty()
        {
            let is_tenant = is_name(tenant);
            return is_tenant
                .then(|| Self::OwnName { tenant: tenant.clone() })
                .ok_or(("tenant", "must have 1 to 256 visible ASCII characters"));
        }
        let [tenant_header, user_header] = NAMING_HEADERS;
        let (tenant, user) = (tenant.as_deref(), user.as_deref());
        let providers = AllowedProviders::All;
        let settings = PolicySettings { tenant, user, tenants, providers, tenant_header, user_header };
        let shown = name.as_deref().unwrap_or("*");
        CallerPolicy::of(format!("cluster {cluster} {namespace}/{shown}"), &settings).map(Self::Policy)
    }
}
