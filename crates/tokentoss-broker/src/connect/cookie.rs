//! The cookie that ties a sign-in to one browser.

use tokentoss_core::{Secret, base64url};

use crate::random;
use crate::store::AuthorizationId;

/// A fresh value, for one sign-in.
pub struct BrowserCookie {
    name: String,
    value: Secret,
    is_secure: bool,
}

/// The name of a sign-in's cookie at this origin. With the prefix `__Host-` no neighbour of the origin can set it (RFC 6265bis
/// section 4.1.3.2); browsers take that over https alone. All ports of a host share their cookies, so the name says which
/// sign-in it is of.
pub(super) fn cookie_name(id: AuthorizationId, origin: &str) -> String {
    let prefix = if is_secure(origin) { "__Host-" } else { "" };
    format!("{prefix}tokentoss-{id}")
}

fn is_secure(address: &str) -> bool {
    address.starts_with("https:")
}

impl BrowserCookie {
    /// For a sign-in by pages of this origin, which any address of it names.
    pub(super) fn new(id: AuthorizationId, origin: &str) -> Self {
        let value = Secret::new(base64url::encode(&random::bytes::<32>()));
        Self { name: cookie_name(id, origin), value, is_secure: is_secure(origin) }
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
