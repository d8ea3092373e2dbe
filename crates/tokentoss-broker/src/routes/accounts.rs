//! `GET /v1/accounts`, `GET` and `DELETE /v1/accounts/{id}`: the connected accounts of a user.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokentoss_custody::Revoker;

use super::App;
use super::name::Name;
use crate::callers::Caller;
use crate::connect::scopes_in;
use crate::problem::Problem;
use crate::refresh::CustodianError;
use crate::store::{GrantId, GrantOwner, GrantRow, ProviderUser};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    revoke: Option<bool>,
}

#[derive(Serialize)]
struct AccountAnswer {
    id: String,
    provider: String,
    subject: String,
    email: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    scopes: Vec<String>,
    /// Seconds since 1970.
    connected_at: u64,
    renewed_at: u64,
    used_at: u64,
}

impl AccountAnswer {
    fn of(row: GrantRow) -> Self {
        Self {
            id: row.id.to_string(),
            provider: row.provider,
            subject: row.subject,
            email: row.email,
            status: row.grant.status.name(),
            cause: row.grant.status.cause(),
            scopes: scopes_in(&row.grant.consented.to_list()).map(str::to_owned).collect(),
            connected_at: row.grant.connected_at.as_secs(),
            renewed_at: row.grant.renewed_at.as_secs(),
            used_at: row.grant.used_at.as_secs(),
        }
    }
}

/// Lists the connected accounts of the user.
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    listing: Result<Query<Listing>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Listing { provider }) = listing.map_err(|_| Problem::invalid_request())?;
    let store = &app.custodian.store;
    let mut answers = Vec::new();
    for name in app.custodian.provider_names() {
        if provider.as_deref().is_some_and(|wanted| wanted != name) || !caller.providers.contain(name) {
            continue;
        }
        for account in
            app.custodian.accounts(&caller.tenant, &caller.user, name).await.map_err(CustodianError::from)?
        {
            match store.grant(account.id).await {
                Ok(row) => answers.extend(row.map(AccountAnswer::of)),
                // An unreadable account must not hide the user's other accounts.
                Err(error) if error.is_unreadable_row() => {
                    tracing::error!(grant = %account.id, %error, "an account is not listed");
                }
                Err(error) => return Err(CustodianError::from(error).into()),
            }
        }
    }
    Ok(Json(answers).into_response())
}

/// Returns one account of the user.
pub(super) async fn one(State(app): State<App>, caller: Caller, Name(id): Name) -> Result<Response, Problem> {
    let row = own(&app, &caller, &id).await?;
    Ok(Json(AccountAnswer::of(row)).into_response())
}

/// The user's account with this identifier; an account of another user gets the same response as an unknown
/// one.
async fn own(app: &App, caller: &Caller, id: &str) -> Result<GrantRow, Problem> {
    let id = GrantId::read(id).ok_or_else(Problem::not_found)?;
    let row = app.custodian.store.grant(id).await.map_err(CustodianError::from)?;
    row.filter(|row| {
        let is_own = caller.owns(&row.tenant, &row.user, &row.provider);
        // Ended accounts, and those of a removed provider, are not listed either.
        is_own && row.grant.status.name() != "revoked" && app.custodian.provider_of(row).is_some()
    })
    .ok_or_else(Problem::not_found)
}

/// Whether it is this caller's, and listed: as for [`own`].
fn can_end(app: &App, caller: &Caller, owner: &GrantOwner) -> bool {
    let ProviderUser { tenant, user, provider } = &owner.provider_user;
    let is_own = caller.owns(tenant, user, provider);
    let provider = app.custodian.provider(provider);
    is_own && !owner.is_ended && provider.is_some_and(|provider| provider.is_of(&owner.issuer))
}

/// Ends a connection: the tokens leave the row at once, and are revoked at the provider by a queue,
/// unless `revoke=false`.
pub(super) async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    ending: Result<Query<Ending>, axum::extract::rejection::QueryRejection>,
) -> Result<StatusCode, Problem> {
    let Query(Ending { revoke }) = ending.map_err(|_| Problem::invalid_request())?;
    let id = GrantId::read(&id).ok_or_else(Problem::not_found)?;
    let owner = app.custodian.store.owner(id).await.map_err(CustodianError::from)?;
    // Not by the whole row: what cannot be read can be ended all the same.
    if !owner.is_some_and(|owner| can_end(&app, &caller, &owner)) {
        return Err(Problem::not_found());
    }
    app.custodian.disconnect(id, Revoker::User, revoke.unwrap_or(true)).await?;
    Ok(StatusCode::NO_CONTENT)
}
