//! A sign-in that has begun, as its row holds it.

use tokentoss_core::{Timestamp, base64url};

use super::{AuthorizationId, GrantId};
use crate::connect::Way;
use crate::random;

/// How far a sign-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has come back from the provider.
    Pending,
    /// The code is being redeemed.
    Redeeming,
    /// Somebody came back, and has to be confirmed.
    Confirm,
    /// The account is being connected.
    Connecting,
    /// The account is connected.
    Done,
    /// It ended without one.
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
    /// Its identifier.
    pub id: AuthorizationId,
    /// Whose it is.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The way.
    pub way: Way,
    /// What the broker's page calls the place that asks.
    pub kernel: Option<String>,
    /// The origin of the notebook page.
    pub page_origin: Option<String>,
    /// All scopes that are asked for, separated by spaces.
    pub scopes: String,
    /// The account to suggest.
    pub login_hint: Option<String>,
    /// How far it is.
    pub stage: Stage,
    /// Why it failed: the code.
    pub problem: Option<String>,
    /// What the stage needs to go on, sealed.
    pub sealed: Option<Vec<u8>>,
    /// What the nonce is, or is made from.
    pub nonce: String,
    /// The grant that came of it.
    pub grant: Option<GrantId>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The database's clock when it was read.
    pub now: Timestamp,
}

impl Authorization {
    /// A fresh one of a user, which nobody has come back from; the database says when it ends.
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

/// What a change of a sign-in writes; members that are none are left as they are, but `sealed`.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationChange {
    /// The stages that it may be in.
    pub from: Vec<Stage>,
    /// The hash of the state that it must have, and loses by this change.
    pub consumes_state: Option<[u8; 32]>,
    /// The hash of the browser's cookie that it must have.
    pub cookie: Option<[u8; 32]>,
    /// The hash of the confirmation that it must have.
    pub confirmation: Option<[u8; 32]>,
    /// The stage after.
    pub to: Option<Stage>,
    /// Hashes of state and cookie that it gets.
    pub started: Option<([u8; 32], [u8; 32])>,
    /// The hash of the confirmation that it gets.
    pub confirmed_by: Option<[u8; 32]>,
    /// Why it failed.
    pub problem: Option<String>,
    /// What the stage after needs; nothing is kept where this is none.
    pub sealed: Option<Vec<u8>>,
    /// The nonce that it gets.
    pub nonce: Option<String>,
    /// The grant that came of it.
    pub grant: Option<GrantId>,
    /// For how much longer it goes on, in milliseconds.
    pub ends_in: Option<u64>,
}
