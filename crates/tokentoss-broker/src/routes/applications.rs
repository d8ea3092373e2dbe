//! The routes for server applications: `/auth/{provider}/…` and `/api/{provider}/…`, behind the application's
//! own address, with its key and the headers for tenant and user. The application authenticates its users, so
//! the sign-in is confirmed if the same user begins and ends it.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_custody::Revoker;

use super::App;
use super::connect::{cookie_in, redirect};
use super::name::Name;
use super::pages::{closing_page, failure_page, problem_page};
use super::token::AccountAnswer;
use crate::callers::Caller;
use crate::connect::scopes_in;
use crate::problem::Problem;
use crate::refresh::{CustodianError, TokenRequest};
use crate::store::Account;
use crate::texts::Texts;
use crate::through::marks;

/// The provider with a route that lists a folder.
const BOX: &str = "box";
/// The longest identifier of a folder, in digits.
const FOLDER_LIMIT: usize = 20;
/// The time limit for a request to Box.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long the cookie of a sign-in lives, in seconds.
const COOKIE_LIFE: u64 = 10 * 60;

#[derive(Serialize)]
struct StatusAnswer<'a> {
    connected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountAnswer<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
}

#[derive(Serialize)]
struct DisconnectAnswer {
    disconnected: bool,
}

/// Sends the application's user to the provider.
pub(super) async fn login(
    State(app): State<App>,
    texts: &'static Texts,
    caller: Result<Caller, Problem>,
    provider: Result<Name, Problem>,
) -> Response {
    let started = async { app.sign_ins.log_in(&caller?, &provider?.0).await };
    match started.await {
        Ok(started) => redirect(&started.url, started.cookie.header(COOKIE_LIFE).expose()),
        Err(problem) => problem_page(texts, &problem),
    }
}

/// Takes the provider's answer, from the same user and browser.
pub(super) async fn callback(
    State(app): State<App>,
    texts: &'static Texts,
    caller: Result<Caller, Problem>,
    provider: Result<Name, Problem>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let returned = async {
        let caller = caller?;
        let name = app.sign_ins.named_by(&query).and_then(|id| app.sign_ins.cookie_name_of(&caller, id));
        let cookie = cookie_in(&headers, name);
        app.sign_ins.log_in_returned(&caller, &provider?.0, &query, cookie.as_deref()).await
    };
    match returned.await {
        Ok(Ok(account)) => closing_page(texts, &account),
        Ok(Err(failure)) => failure_page(texts, &failure, "", ""),
        Err(problem) => problem_page(texts, &problem),
    }
}

/// Whether the user has an account at the provider, and its status.
pub(super) async fn status(
    State(app): State<App>,
    caller: Caller,
    Name(provider): Name,
) -> Result<Response, Problem> {
    let accounts = accounts_at(&app, &caller, &provider).await?;
    let row = match accounts.first() {
        Some(account) => app.custodian.store.grant(account.id).await.map_err(CustodianError::from)?,
        None => None,
    };
    let answer = match &row {
        None => StatusAnswer { connected: false, status: None, account: None, scopes: Vec::new() },
        Some(row) => StatusAnswer {
            connected: row.grant.status.name() == "active",
            status: Some(row.grant.status.name()),
            account: Some(AccountAnswer::of(row)),
            scopes: scopes_in(&row.grant.consented.to_list()).map(str::to_owned).collect(),
        },
    };
    Ok(Json(answer).into_response())
}

/// The user's accounts at a provider.
async fn accounts_at(app: &App, caller: &Caller, provider: &str) -> Result<Vec<Account>, Problem> {
    caller.may_ask_for(provider)?;
    app.custodian.provider(provider).ok_or_else(Problem::not_found)?;
    Ok(app.custodian.accounts(&caller.tenant, &caller.user, provider).await.map_err(CustodianError::from)?)
}

/// Disconnects the user's accounts at a provider.
pub(super) async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    Name(provider): Name,
) -> Result<Response, Problem> {
    let accounts = accounts_at(&app, &caller, &provider).await?;
    let disconnected = !accounts.is_empty();
    // All start concurrently, so that neither a failure nor a cancelled request leaves another account
    // connected.
    let endings = accounts.iter().map(|account| app.custodian.disconnect(account.id, Revoker::User, true));
    join_all(endings).await.into_iter().collect::<Result<(), _>>()?;
    Ok(Json(DisconnectAnswer { disconnected }).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Folder {
    folder_id: Option<String>,
}

/// Lists the entries of a folder at Box, which shows that the token works; the default is the user's root
/// folder. It counts as one call for the caller.
pub(super) async fn test_folder(
    State(app): State<App>,
    caller: Caller,
    folder: Result<Query<Folder>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Folder { folder_id }) = folder.map_err(|_| Problem::invalid_request())?;
    let folder = folder_id.unwrap_or_else(|| "0".to_owned());
    if folder.is_empty() || folder.len() > FOLDER_LIMIT || !folder.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid_request());
    }
    caller.may_ask_for(BOX)?;
    let provider = app.custodian.provider(BOX).and_then(|provider| provider.sign_in.as_ref());
    let identity = provider.and_then(|sign_in| sign_in.identity.as_ref()).ok_or_else(Problem::not_found)?;
    // Box's other resources have the same base URL as its identity endpoint.
    let base = identity.endpoint.as_str().strip_suffix("/users/me").ok_or_else(Problem::way_unavailable)?;
    let endpoint = EndpointUrl::parse(&format!("{base}/folders/{folder}/items"))
        .map_err(|_| Problem::invalid_request())?;
    let _permit = app.through.permit(&caller)?;
    let request = TokenRequest { provider: BOX.to_owned(), ..TokenRequest::default() };
    let issued = app.custodian.token(&caller.tenant, &caller.user, &request).await?;
    let answer = app.custodian.upstream().get(&endpoint, &issued.access, TIMEOUT).await;
    tracing::info!(
        target: "audit",
        action = "test_folder",
        caller = caller.name,
        tenant = caller.tenant,
        user = caller.user,
        provider = BOX,
        grant = %issued.row.id,
        origin = endpoint.origin(),
        status = answer.as_ref().map_or(0, |answer| answer.status),
        "made a call"
    );
    let answer = answer.ok_or_else(Problem::target_unavailable)?;
    let status = StatusCode::from_u16(answer.status).map_err(|_| Problem::target_misbehaved())?;
    let entries: Value =
        serde_json::from_str(answer.body.expose()).map_err(|_| Problem::target_misbehaved())?;
    Ok((status, marks(issued.row.id), Json(entries)).into_response())
}
