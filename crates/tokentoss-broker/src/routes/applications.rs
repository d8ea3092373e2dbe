//! The shape that server applications know: `/auth/{provider}/…` and `/api/{provider}/…`, behind the application's own
//! address, with its key and the headers of tenant and user. The application knows who its browser's user is, so the same user at
//! begin and end is all the confirmation that is needed.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::connect::{closing_page, cookie_in, failure_page, problem_page, redirect};
use super::token::AccountAnswer;
use crate::callers::Caller;
use crate::problem::Problem;
use crate::refresh::Failed;

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
    caller: Result<Caller, Problem>,
    Path(provider): Path<String>,
) -> Response {
    let started = async { app.sign_ins.log_in(&caller?, &provider).await };
    match started.await {
        Ok(started) => redirect(&started.url, started.cookie.header(COOKIE_LIFE).expose()),
        Err(problem) => problem_page(&problem),
    }
}

/// Takes the provider's answer, from the same user and browser.
pub(super) async fn callback(
    State(app): State<App>,
    caller: Result<Caller, Problem>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let cookie = app.sign_ins.named_by(&query).and_then(|id| cookie_in(&headers, id));
    let returned =
        async { app.sign_ins.log_in_returned(&caller?, &provider, &query, cookie.as_deref()).await };
    match returned.await {
        Ok(Ok(account)) => closing_page(&account),
        Ok(Err(failure)) => failure_page(&failure, "", ""),
        Err(problem) => problem_page(&problem),
    }
}

/// Whether the user has an account there, and how it is.
pub(super) async fn status(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
) -> Result<Response, Problem> {
    app.custodian.provider(&provider).ok_or_else(Problem::not_found)?;
    let store = &app.custodian.store;
    let accounts = store.accounts(&caller.tenant, &caller.user, &provider).await.map_err(Failed::from)?;
    let row = match accounts.first() {
        Some(account) => store.grant(account.id).await.map_err(Failed::from)?,
        None => None,
    };
    let answer = match &row {
        None => StatusAnswer { connected: false, status: None, account: None, scopes: Vec::new() },
        Some(row) => StatusAnswer {
            connected: row.grant.status.name() == "active",
            status: Some(row.grant.status.name()),
            account: Some(AccountAnswer::of(row)),
            scopes: row.grant.consented.to_list().split(' ').map(str::to_owned).collect(),
        },
    };
    Ok(no_store(Json(answer)))
}

/// Ends what the user has connected there.
pub(super) async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
) -> Result<Response, Problem> {
    app.custodian.provider(&provider).ok_or_else(Problem::not_found)?;
    let store = &app.custodian.store;
    let accounts = store.accounts(&caller.tenant, &caller.user, &provider).await.map_err(Failed::from)?;
    let disconnected = !accounts.is_empty();
    for account in accounts {
        app.custodian.disconnect(account.id, tokentoss_custody::Revoker::User, true).await?;
    }
    Ok(no_store(Json(DisconnectAnswer { disconnected })))
}

fn no_store(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
