//! Which tenant and user an authenticated caller may act for.

use axum::http::HeaderMap;

use super::{AllowedProviders, AuthError, Caller, is_name, name_in};

/// The policy of one caller: it acts for one fixed user, or for the user that its headers name.
pub(super) struct CallerPolicy {
    name: String,
    acts_for: ActsFor,
    providers: AllowedProviders,
    tenant_header: String,
    user_header: String,
}

/// How tenant and user of a request are found.
enum ActsFor {
    /// The user that the headers name, in one of these tenants; an empty list allows all tenants.
    HeaderUser { tenants: Vec<String> },
    /// Always this user.
    FixedUser { tenant: String, user: String },
}

/// The settings of a policy, as the configuration has them.
pub(super) struct PolicySettings<'a> {
    /// The fixed tenant.
    pub(super) tenant: Option<&'a str>,
    /// The fixed user.
    pub(super) user: Option<&'a str>,
    /// The tenants that the caller may name in a header.
    pub(super) tenants: &'a [String],
    /// The providers that it may ask for.
    pub(super) providers: AllowedProviders,
    /// The header with the tenant.
    pub(super) tenant_header: &'a str,
    /// The name of the header with the user.
    pub(super) user_header: &'a str,
}

impl std::fmt::Debug for CallerPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallerPolicy").field("name", &self.name).finish_non_exhaustive()
    }
}

impl CallerPolicy {
    /// Checks the settings. The error is the name of the wrong setting and the reason.
    pub(super) fn of(
        name: String,
        settings: &PolicySettings<'_>,
    ) -> Result<Self, (&'static str, &'static str)> {
        let acts_for = match (settings.tenant, settings.user) {
            (None, None) => ActsFor::HeaderUser { tenants: settings.tenants.to_vec() },
            (Some(tenant), Some(user)) if settings.tenants.is_empty() => {
                if !is_name(tenant) || !is_name(user) {
                    return Err(("user", "tenant and user must have 1 to 256 visible ASCII characters"));
                }
                ActsFor::FixedUser { tenant: tenant.to_owned(), user: user.to_owned() }
            }
            (Some(_), Some(_)) => return Err(("tenants", "remove it; `tenant` names the only one already")),
            _ => return Err(("user", "set both `tenant` and `user`, or neither")),
        };
        Ok(Self {
            name,
            acts_for,
            providers: settings.providers.clone(),
            tenant_header: settings.tenant_header.to_ascii_lowercase(),
            user_header: settings.user_header.to_ascii_lowercase(),
        })
    }

    /// The caller with the tenant and user of a request with these headers.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, AuthError> {
        let (tenant, user) = match &self.acts_for {
            ActsFor::HeaderUser { tenants } => {
                let tenant = name_in(headers, &self.tenant_header)?;
                let user = name_in(headers, &self.user_header)?;
                if !tenants.is_empty() && !tenants.contains(&tenant) {
                    return Err(AuthError::Forbidden);
                }
                (tenant, user)
            }
            ActsFor::FixedUser { tenant, user } => {
                // A caller that sends them expects to act for another user.
                if headers.contains_key(&self.tenant_header) || headers.contains_key(&self.user_header) {
                    return Err(AuthError::Malformed);
                }
                (tenant.clone(), user.clone())
            }
        };
        Ok(Caller { name: self.name.clone(), tenant, user, providers: self.providers.clone() })
    }
}
