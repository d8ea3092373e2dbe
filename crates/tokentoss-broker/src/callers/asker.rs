//! For whom a caller asks, however it showed who it is.

use axum::http::HeaderMap;

use super::{AllowedProviders, Caller, Turned, is_name, name_in};

/// Somebody who may ask, for a user of its own or for whoever it names.
pub(super) struct Asker {
    name: String,
    asks_for: AsksFor,
    providers: AllowedProviders,
    tenant_header: String,
    user_header: String,
}

/// For whom.
enum AsksFor {
    /// Whoever the headers name, in these tenants; in all if there are none.
    Named { tenants: Vec<String> },
    /// Always this one.
    One { tenant: String, user: String },
}

/// What the configuration says of an asker.
pub(super) struct Terms<'a> {
    /// Its one tenant.
    pub(super) tenant: Option<&'a str>,
    /// Its one user.
    pub(super) user: Option<&'a str>,
    /// The tenants that it may name.
    pub(super) tenants: &'a [String],
    /// The providers that it may ask for.
    pub(super) providers: AllowedProviders,
    /// The header with the tenant.
    pub(super) tenant_header: &'a str,
    /// The header with the user.
    pub(super) user_header: &'a str,
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Asker {
    /// Reads the terms; the error is the setting that is wrong, and what is wrong with it.
    pub(super) fn of(name: String, terms: &Terms<'_>) -> Result<Self, (&'static str, &'static str)> {
        let asks_for = match (terms.tenant, terms.user) {
            (None, None) => AsksFor::Named { tenants: terms.tenants.to_vec() },
            (Some(tenant), Some(user)) if terms.tenants.is_empty() => {
                if !is_name(tenant) || !is_name(user) {
                    return Err(("user", "tenant and user must have 1 to 256 visible ASCII characters"));
                }
                AsksFor::One { tenant: tenant.to_owned(), user: user.to_owned() }
            }
            (Some(_), Some(_)) => return Err(("tenants", "remove it; `tenant` names the only one already")),
            _ => return Err(("user", "set both `tenant` and `user`, or neither")),
        };
        Ok(Self {
            name,
            asks_for,
            providers: terms.providers.clone(),
            tenant_header: terms.tenant_header.to_ascii_lowercase(),
            user_header: terms.user_header.to_ascii_lowercase(),
        })
    }

    /// For whom the request with these headers asks.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Turned> {
        let (tenant, user) = match &self.asks_for {
            AsksFor::Named { tenants } => {
                let tenant = name_in(headers, &self.tenant_header)?;
                let user = name_in(headers, &self.user_header)?;
                if !tenants.is_empty() && !tenants.contains(&tenant) {
                    return Err(Turned::Forbidden);
                }
                (tenant, user)
            }
            AsksFor::One { tenant, user } => {
                // Whoever sends them believes to speak for somebody else.
                if headers.contains_key(&self.tenant_header) || headers.contains_key(&self.user_header) {
                    return Err(Turned::Malformed);
                }
                (tenant.clone(), user.clone())
            }
        };
        Ok(Caller { name: self.name.clone(), tenant, user, providers: self.providers.clone() })
    }
}
