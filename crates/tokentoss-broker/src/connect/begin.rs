//! The first step: a caller starts a sign-in for its user.

use serde_json::Value;
use tokentoss_core::sealing::KeyPair;
use tokentoss_core::{Secret, Timestamp, base64url};

use super::{SignIns, UNUSED, Way};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::random;
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationId};

/// The longest texts of a caller, in bytes.
const KERNEL_LIMIT: usize = 80;
const HINT_LIMIT: usize = 256;

/// A caller's request to start a sign-in.
#[derive(Clone, Debug)]
pub struct SignInRequest {
    /// The provider's name.
    pub provider: String,
    /// Scopes besides those of the configuration.
    pub scopes: Vec<String>,
    /// The account to suggest.
    pub login_hint: Option<String>,
    /// The origin of the notebook page.
    pub page_origin: Option<String>,
    /// The name of the kernel that the broker's page shows.
    pub kernel: Option<String>,
    /// The method; the default is the configured one.
    pub way: Option<Way>,
}

/// A started sign-in.
#[derive(Clone, Debug)]
pub struct StartedSignIn {
    /// The identifier.
    pub id: AuthorizationId,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The next step for the caller.
    pub way: NextStep,
}

/// The next step for the caller.
#[derive(Clone, Debug)]
pub enum NextStep {
    /// Open this page of the broker in a popup.
    Page {
        /// The address.
        url: String,
    },
    /// The notebook page runs the sign-in, and deposits the code.
    Deposit(DepositParameters),
}

/// The parameters for the ticket of a deposit.
#[derive(Clone, Debug)]
pub struct DepositParameters {
    /// The key to seal to, in base64url.
    pub public_key: String,
    /// The value that nonces are derived from.
    pub nonce: String,
    /// The client.
    pub client_id: String,
    /// The requested scopes.
    pub scopes: Vec<String>,
    /// The provider, as a ticket has it.
    pub provider: Value,
    /// Static pages that are registered for the client.
    pub callback_pages: Vec<String>,
}

impl SignIns {
    /// Begins a sign-in for the caller's user.
    ///
    /// # Errors
    /// The request is invalid, or the database does not answer.
    pub async fn begin(&self, caller: &Caller, request: SignInRequest) -> Result<StartedSignIn, Problem> {
        caller.may_ask_for(&request.provider)?;
        let (_, settings) = self.provider(&request.provider)?;
        if request.way.is_some_and(|way| way != settings.way) {
            return Err(Problem::way_unavailable());
        }
        let is_text = |text: &Option<String>, limit| {
            text.as_ref().is_none_or(|text| text.len() <= limit && !text.chars().any(char::is_control))
        };
        if !is_text(&request.kernel, KERNEL_LIMIT) || !is_text(&request.login_hint, HINT_LIMIT) {
            return Err(Problem::invalid_request());
        }
        if request.page_origin.as_deref().is_some_and(|origin| !self.allows(origin, &caller.tenant)) {
            return Err(Problem::origin_forbidden());
        }
        let client = settings.client_for(&request.scopes, request.login_hint.clone());
        let client = client.ok_or_else(Problem::scope_forbidden)?;
        let (tenant, user) = (caller.tenant.clone(), caller.user.clone());
        let begun = Authorization::new(tenant, user, request.provider, settings.way, client.scope());
        let mut new = Authorization {
            kernel: request.kernel,
            page_origin: request.page_origin,
            login_hint: request.login_hint,
            ..begun
        };
        let store = &self.custodian.store;
        let way = match settings.way {
            Way::Page => {
                let origin = self.public_origin.as_deref().ok_or_else(Problem::way_unavailable)?;
                // Creates the tenant that the row references.
                self.custodian.data_key(&new.tenant).await?;
                NextStep::Page { url: format!("{origin}/connect/{}", new.id) }
            }
            Way::Deposit => {
                let private = random::bytes::<32>();
                let pair = KeyPair::from_private_key(&private).ok_or_else(Problem::key_unavailable)?;
                new.sealed =
                    Some(self.seal(&new, "deposit key", &Secret::new(base64url::encode(&private))).await?);
                NextStep::Deposit(DepositParameters {
                    public_key: pair.public().to_base64url(),
                    nonce: new.nonce.clone(),
                    client_id: client.client_id().to_owned(),
                    scopes: client.scopes().to_vec(),
                    provider: settings.description.clone(),
                    callback_pages: settings.callback_pages.clone(),
                })
            }
        };
        self.sweep(&new).await?;
        let expires_at = store.add_authorization(&new, UNUSED).await.map_err(CustodianError::from)?;
        Ok(StartedSignIn { id: new.id, expires_at, way })
    }

    /// Cancels a sign-in.
    ///
    /// # Errors
    /// The sign-in is not this user's, or the database does not answer.
    pub async fn give_up(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let row = self.own(caller, id).await?;
        self.custodian.store.drop_authorization(row.id).await.map_err(CustodianError::from)?;
        self.watchers.notify(row.id);
        Ok(())
    }
}
