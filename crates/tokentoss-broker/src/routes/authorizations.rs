//! `/v1/authorizations`: beginning and ending a sign-in.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::App;
use super::name::Name;
use super::token::AccountAnswer;
use crate::callers::Caller;
use crate::connect::{NextStep, SignInRequest, SignInStatus, StartedSignIn, Way};
use crate::problem::Problem;

/// The longest time to wait for a change, in seconds.
const LONGEST_WAIT: u64 = 25;
/// The longest list of scopes.
const SCOPES: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginRequest {
    provider: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    login_hint: Option<String>,
    #[serde(default)]
    page_origin: Option<String>,
    #[serde(default)]
    kernel: Option<String>,
    #[serde(default)]
    way: Option<Way>,
}

#[derive(Serialize)]
struct BegunAnswer<'a> {
    id: String,
    way: &'static str,
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit: Option<DepositAnswer<'a>>,
}

#[derive(Serialize)]
struct DepositAnswer<'a> {
    public_key: &'a str,
    nonce: &'a str,
    client_id: &'a str,
    scopes: &'a [String],
    provider: &'a Value,
    callback_pages: &'a [String],
}

#[derive(Serialize)]
struct ViewAnswer<'a> {
    id: &'a str,
    status: &'static str,
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<FailureAnswer>,
}

#[derive(Serialize)]
struct FailureAnswer {
    code: &'static str,
    title: String,
    action: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// Seconds.
    wait: Option<u64>,
    /// The status that the caller knows.
    known: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmRequest {
    confirmation: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DepositRequest {
    sealed: String,
}

/// Begins a sign-in.
pub(super) async fn begin(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<BeginRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = body?;
    let is_scope = |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
    if request.scopes.len() > SCOPES || !request.scopes.iter().all(is_scope) {
        return Err(Problem::invalid_request());
    }
    let request = SignInRequest {
        provider: request.provider,
        scopes: request.scopes,
        login_hint: request.login_hint,
        page_origin: request.page_origin,
        kernel: request.kernel,
        way: request.way,
    };
    let begun = app.sign_ins.begin(&caller, request).await?;
    Ok((StatusCode::CREATED, answer(&begun)).into_response())
}

/// Returns the status of a sign-in, at once or when it changes.
pub(super) async fn view(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    waiting: Result<Query<Waiting>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Waiting { wait, known }) = waiting.map_err(|_| Problem::invalid_request())?;
    let longest = Duration::from_secs(wait.unwrap_or_default().min(LONGEST_WAIT));
    let known = known.as_deref().unwrap_or("pending");
    Ok(shown(&app.sign_ins.wait(&caller, &id, known, longest).await?))
}

/// Confirms a sign-in with the text that the broker's page showed.
pub(super) async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    body: Result<Json<ConfirmRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = body?;
    Ok(shown(&app.sign_ins.confirm(&caller, &id, &request.confirmation).await?))
}

/// Takes a code that a page sealed to this broker.
pub(super) async fn deposit(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    body: Result<Json<DepositRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = body?;
    Ok(shown(&app.sign_ins.deposit(&caller, &id, &request.sealed).await?))
}

/// Cancels a sign-in.
pub(super) async fn give_up(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
) -> Result<StatusCode, Problem> {
    app.sign_ins.give_up(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(begun: &StartedSignIn) -> Response {
    let (way, url, deposit) = match &begun.way {
        NextStep::Page { url } => (Way::Page, Some(url.as_str()), None),
        NextStep::Deposit(terms) => {
            let terms = DepositAnswer {
                public_key: &terms.public_key,
                nonce: &terms.nonce,
                client_id: &terms.client_id,
                scopes: &terms.scopes,
                provider: &terms.provider,
                callback_pages: &terms.callback_pages,
            };
            (Way::Deposit, None, Some(terms))
        }
    };
    let body = BegunAnswer {
        id: begun.id.to_string(),
        way: way.name(),
        expires_at: begun.expires_at.as_secs(),
        url,
        deposit,
    };
    Json(body).into_response()
}

fn shown(view: &SignInStatus) -> Response {
    Json(ViewAnswer {
        id: &view.id,
        status: view.status,
        expires_at: view.expires_at.as_secs(),
        account: view.account.as_ref().map(AccountAnswer::of),
        problem: view.failure.as_ref().map(|failure| FailureAnswer {
            code: failure.code(),
            title: failure.sentence(),
            action: failure.action(),
        }),
    })
    .into_response()
}
