//! The cookie that ties a sign-in to one browser.

use tokentoss_core::{Secret, base64url};

use crate::random;
use crate::store::AuthorizationId;

/// A fresh value, for one sign-in.
#[derive(Debug)]
pub struct BrowserCookie {
    name: String,
    value: Secret,
    is_secure: bool,
}

/// The name of a sign-in's cookie. With the prefix `__Host-` no neighbour of the origin can set it (RFC 6265bis section
/// 4.1.3.2); browsers take that over https alone.
#[must_use]
pub fn cookie_name(id: AuthorizationId, is_secure: bool) -> String {
    let prefix = if is_secure { "__Host-" } else { "" };
    format!("{prefix}tokentoss-{id}")
}

impl BrowserCookie {
    pub(super) fn new(id: AuthorizationId, is_secure: bool) -> Self {
        let value = Secret::new(base64url::encode(&random::bytes::<32>()));
        Self { name: cookie_name(id, is_secure), value, is_secure }
    }

    pub(super) fn value(&self) -> &Secret {
        &self.value
    }

    /// The header `Set-Cookie`, for so many seconds. `Lax`, because the provider's page leads back here.
    #[must_use]
    pub fn header(&self, seconds: u64) -> Secret {
        let (name, value) = (&self.name, self.value.expose());
        let secure = if self.is_secure { "; Secure" } else { "" };
        Secret::new(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
    }
}
