//! A started sign-in, as it is stored in its row.

use tokentoss_core::{Timestamp, base64url};

use super::{AuthorizationId, GrantId};
use crate::connect::Way;
use crate::random;

/// The stage of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The provider has not redirected the user back yet.
    Pending,
    /// The code is being redeemed.
    Redeeming,
    /// A user came back from the provider, and must be confirmed.
    Confirm,
    /// The account is being connected.
    Connecting,
    /// The account is connected.
    Done,
    /// The sign-in ended without an account.
    Failed,
}

impl Stage {
    const ALL: [Self; 6] =
        [Self::Pending, Self::Redeeming, Self::Confirm, Self::Connecting, Self::Done, Self::Failed];

    /// The name in the row.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Redeeming => "redeeming",
            Self::Confirm => "confirm",
            Self::Connecting => "connecting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The stage of a name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// A sign-in as it was read.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The identifier.
    pub id: AuthorizationId,
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The method: the broker's pages, or a deposit.
    pub way: Way,
    /// The name of the kernel that the broker's page shows.
    pub kernel: Option<String>,
    /// The origin of the notebook page.
    pub page_origin: Option<String>,
    /// All scopes that are asked for, separated by spaces.
    pub scopes: String,
    /// The account to suggest.
    pub login_hint: Option<String>,
    /// The stage.
    pub stage: Stage,
    /// Why it failed: the code.
    pub problem: Option<String>,
    /// The sealed data for the next stage.
    pub sealed: Option<Vec<u8>>,
    /// The nonce, or the value that it is derived from.
    pub nonce: String,
    /// The resulting grant.
    pub grant: Option<GrantId>,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The database's clock when it was read.
    pub now: Timestamp,
}

impl Authorization {
    /// A new sign-in in the stage `pending`; the database sets its expiry.
    #[must_use]
    pub fn new(tenant: String, user: String, provider: String, way: Way, scopes: String) -> Self {
        Self {
            id: AuthorizationId::generate(),
            tenant,
            user,
            provider,
            way,
            kernel: None,
            page_origin: None,
            scopes,
            login_hint: None,
            stage: Stage::Pending,
            problem: None,
            sealed: None,
            nonce: base64url::encode(&random::bytes::<32>()),
            grant: None,
            expires_at: Timestamp::from_millis(0),
            now: Timestamp::from_millis(0),
        }
    }
}

/// A change of a sign-in. Fields that are `None` leave the column unchanged, except `sealed`, which is
/// cleared.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationChange {
    /// The stages in which the change applies.
    pub from: Vec<Stage>,
    /// The hash of the state that the row must have; the change removes it.
    pub consumes_state: Option<[u8; 32]>,
    /// The hash of the browser's cookie that the row must have.
    pub cookie: Option<[u8; 32]>,
    /// The hash of the confirmation that the row must have.
    pub confirmation: Option<[u8; 32]>,
    /// The new stage.
    pub to: Option<Stage>,
    /// The new hashes of state and cookie.
    pub started: Option<([u8; 32], [u8; 32])>,
    /// The new hash of the confirmation.
    pub confirmed_by: Option<[u8; 32]>,
    /// Why it failed.
    pub problem: Option<String>,
    /// The sealed data for the new stage; `None` clears the none, unless `keeps_sealed`.
    pub sealed: Option<Vec<u8>>,
    /// Whether the stage after needs what is sealed already.
    pub keeps_sealed: bool,
    /// The new nonce.
    pub nonce: Option<String>,
    /// The resulting grant.
    pub grant: Option<GrantId>,
    /// The new time to live, in milliseconds.
    pub ends_in: Option<u64>,
}
