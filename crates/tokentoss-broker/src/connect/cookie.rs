//! The cookie that binds a sign-in to one browser.

use tokentoss_core::{Secret, base64url};

use crate::random;
use crate::store::AuthorizationId;

/// A cookie with a random value, for one sign-in.
pub struct BrowserCookie {
    name: String,
    value: Secret,
    is_secure: bool,
}

/// The name of a sign-in's cookie at this origin. The prefix `__Host-` prevents that a sibling domain sets it
/// (RFC 6265bis section 4.1.3.2); browsers accept the prefix only over https. All ports of a host share
/// cookies, so the name contains the identifier of the sign-in.
pub(super) fn cookie_name(id: AuthorizationId, origin: &str) -> String {
    let prefix = if is_secure(origin) { "__Host-" } else { "" };
    format!("{prefix}tokentoss-{id}")
}

fn is_secure(address: &str) -> bool {
    address.starts_with("https:")
}

impl BrowserCookie {
    /// A new cookie for a sign-in by pages of this origin.
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
