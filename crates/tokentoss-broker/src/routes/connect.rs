//! The browser's pages: `GET` and `POST /connect/{id}`, `GET /callback`, `POST /connect/{id}/here`.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tokentoss_core::base64url;

use super::App;
use super::name::Name;
use crate::connect::{Failure, Guest, Returned, scopes_in};
use crate::problem::Problem;
use crate::random;
use crate::store::AuthorizationId;

/// How long the cookie of a sign-in lives, in seconds: as long as the sign-in, and its confirmation.
const COOKIE_LIFE: u64 = 20 * 60;

/// The first page: who asks for what.
#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    nonce: &'a str,
    provider: &'a str,
    host: &'a str,
    client_id: &'a str,
    user: &'a str,
    tenant: &'a str,
    kernel: &'a str,
    page_origin: &'a str,
    scopes: Vec<&'a str>,
    offers_another: bool,
    /// Whether the user has said so before.
    wants_another: bool,
}

/// The last page: back from the provider.
#[derive(Template)]
#[template(path = "returned.html")]
struct ReturnedPage<'a> {
    nonce: &'a str,
    id: String,
    page_origin: &'a str,
    provider: &'a str,
    account: &'a str,
    confirmation: &'a str,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    nonce: &'a str,
    /// `done` or `failed`, which its icon shows.
    outcome: &'a str,
    heading: &'a str,
    /// Who is signed in.
    account: &'a str,
    sentence: &'a str,
    /// Why it failed, as the opener is told as well, where there is a page to tell.
    code: &'a str,
    id: String,
    page_origin: &'a str,
}

/// Shows who asks for what.
pub(super) async fn invite(State(app): State<App>, Name(id): Name, RawQuery(query): RawQuery) -> Response {
    match app.sign_ins.invitation(&id).await {
        Ok(invitation) => {
            let row = &invitation.row;
            let mut response = page(StatusCode::OK, |nonce| {
                InvitationPage {
                    nonce,
                    provider: &invitation.provider,
                    host: &invitation.host,
                    client_id: &invitation.client_id,
                    user: &row.user,
                    tenant: &row.tenant,
                    kernel: row.kernel.as_deref().unwrap_or_default(),
                    page_origin: row.page_origin.as_deref().unwrap_or_default(),
                    scopes: scopes_in(&row.scopes).collect(),
                    offers_another: invitation.offers_another,
                    wants_another: invitation.offers_another
                        && asks_for_another(query.as_deref().unwrap_or_default().as_bytes()),
                }
                .render()
            });
            // With `no-referrer` browsers send `Origin: null` with the form (Fetch, section 3.2).
            let policy = HeaderValue::from_static("same-origin");
            response.headers_mut().insert(header::REFERRER_POLICY, policy);
            response
        }
        Err(problem) => problem_page(&problem),
    }
}

/// Goes on to the provider, after the user said yes on the page before.
pub(super) async fn accept(
    State(app): State<App>,
    Name(id): Name,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    if !is_own(&headers, app.sign_ins.public_origin()) {
        return problem_page(&Problem::state_mismatch());
    }
    match app.sign_ins.start(&id, asks_for_another(&form)).await {
        Ok(started) => {
            let cookie = started.cookie.header(COOKIE_LIFE);
            redirect(&started.url, cookie.expose())
        }
        Err(problem) => problem_page(&problem),
    }
}

/// Whether a query or a form says that the user wants to choose the account.
fn asks_for_another(parameters: &[u8]) -> bool {
    form_urlencoded::parse(parameters).any(|(name, value)| name == "account" && value == "another")
}

/// Takes the provider's answer.
pub(super) async fn callback(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let name = app.sign_ins.named_by(&query).and_then(|id| app.sign_ins.cookie_name(id));
    let cookie = cookie_in(&headers, name);
    match app.sign_ins.come_back(&query, cookie.as_deref()).await {
        Ok(returned) => returned_page(&app, &returned),
        Err(problem) => problem_page(&problem),
    }
}

/// The page that opened the popup has answered it.
pub(super) async fn here(
    State(app): State<App>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    if !is_own(&headers, app.sign_ins.public_origin()) {
        return Err(Problem::state_mismatch());
    }
    let name = AuthorizationId::read(&id).and_then(|id| app.sign_ins.cookie_name(id));
    let cookie = cookie_in(&headers, name);
    app.sign_ins.page_is_here(&id, cookie.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn returned_page(app: &App, returned: &Returned) -> Response {
    let row = &returned.row;
    let page_origin = row.page_origin.as_deref().unwrap_or_default();
    match &returned.outcome {
        Ok(Guest { confirmation, label }) => {
            let provider =
                app.custodian.provider(&row.provider).and_then(|provider| provider.sign_in.as_ref());
            let provider = provider.map_or("", |sign_in| sign_in.display_name.as_str());
            page(StatusCode::OK, |nonce| {
                ReturnedPage {
                    nonce,
                    id: row.id.to_string(),
                    page_origin,
                    provider,
                    account: label,
                    confirmation,
                }
                .render()
            })
        }
        Err(failure) => failure_page(failure, &row.id.to_string(), page_origin),
    }
}

/// Says why a sign-in failed, to the user and to the notebook page.
pub(super) fn failure_page(failure: &Failure, id: &str, page_origin: &str) -> Response {
    not_signed_in(StatusCode::OK, &failure.sentence(), failure.code(), (id, page_origin))
}

/// Says that all is well, and closes the window.
pub(super) fn closing_page(account: &str) -> Response {
    page(StatusCode::OK, |nonce| {
        NoticePage {
            nonce,
            outcome: "done",
            heading: "Signed in",
            account,
            sentence: "You can close this window.",
            code: "",
            id: String::new(),
            page_origin: "",
        }
        .render()
    })
}

/// A problem as a person reads it.
pub(super) fn problem_page(problem: &Problem) -> Response {
    not_signed_in(problem.status(), problem.title(), problem.code(), ("", ""))
}

fn not_signed_in(
    status: StatusCode,
    sentence: &str,
    code: &str,
    (id, page_origin): (&str, &str),
) -> Response {
    page(status, |nonce| {
        NoticePage {
            nonce,
            outcome: "failed",
            heading: "Not signed in",
            account: "",
            sentence,
            code,
            id: id.to_owned(),
            page_origin,
        }
        .render()
    })
}

/// A page that nobody can frame, that loads nothing, and runs only what carries its nonce.
fn page(status: StatusCode, render: impl FnOnce(&str) -> askama::Result<String>) -> Response {
    let nonce = base64url::encode(&random::bytes::<16>());
    let Ok(text) = render(&nonce) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    // No `form-action`: browsers hold it against the provider's redirects as well.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Sends the browser on, with a cookie.
pub(super) fn redirect(url: &str, cookie: &str) -> Response {
    let (Ok(url), Ok(mut cookie)) = (HeaderValue::from_str(url), HeaderValue::from_str(cookie)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    cookie.set_sensitive(true);
    let headers = [
        (header::LOCATION, url),
        (header::SET_COOKIE, cookie),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Whether a request was made by a page of this origin, as the browser says.
fn is_own(headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) {
        (Some(origin), None) => Some(origin) == public_origin,
        _ => false,
    }
}

/// The value of the one cookie of this name. Two of them are none: a neighbour of the origin may have put one there.
pub(super) fn cookie_in(headers: &HeaderMap, name: Option<String>) -> Option<String> {
    let wanted = name?;
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    values.next().filter(|_| values.next().is_none())
}
