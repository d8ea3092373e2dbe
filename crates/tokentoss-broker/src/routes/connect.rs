//! The routes for browsers: `GET` and `POST /connect/{id}`, `GET /callback`, `POST /connect/{id}/here`.

use axum::body::Bytes;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::name::Name;
use super::pages::{consent_page, failure_page, nothing_to_do_page, problem_page, returned_page};
use crate::connect::CallbackResult;
use crate::problem::Problem;
use crate::store::AuthorizationId;
use crate::texts::Texts;

/// How long the cookie of a sign-in lives, in seconds: as long as the sign-in, and its confirmation.
const COOKIE_LIFE: u64 = 20 * 60;

/// Shows the consent page.
pub(super) async fn show_consent(
    State(app): State<App>,
    texts: &'static Texts,
    id: Result<Name, Problem>,
    RawQuery(query): RawQuery,
) -> Response {
    let prompt = async { app.sign_ins.consent_prompt(&id?.0).await };
    match prompt.await {
        Ok(prompt) => {
            let wants_another = asks_for_another(query.unwrap_or_default().as_bytes());
            consent_page(texts, &prompt, wants_another)
        }
        Err(problem) => problem_page(texts, &problem),
    }
}

/// Redirects to the provider, after the user agreed on the consent page.
pub(super) async fn continue_to_provider(
    State(app): State<App>,
    texts: &'static Texts,
    id: Result<Name, Problem>,
    request: Request,
) -> Response {
    // Checked before the form is read, so that forms of other origins are refused at once.
    if !is_own(request.headers(), app.sign_ins.public_origin()) {
        return problem_page(texts, &Problem::state_mismatch());
    }
    let started = async {
        let form = Bytes::from_request(request, &app).await?;
        app.sign_ins.start(&id?.0, asks_for_another(&form)).await
    };
    match started.await {
        Ok(started) => {
            let cookie = started.cookie.header(COOKIE_LIFE);
            redirect(&started.url, cookie.expose())
        }
        Err(problem) => problem_page(texts, &problem),
    }
}

/// Answers an unknown route: with a page for a browser, with a problem document for a program.
pub(super) async fn unknown_route(texts: &'static Texts, method: Method, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if method == Method::GET && accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        nothing_to_do_page(texts)
    } else {
        Problem::unknown_route().into_response()
    }
}

/// Whether a query or a form says that the user wants to choose the account.
fn asks_for_another(parameters: &[u8]) -> bool {
    form_urlencoded::parse(parameters).any(|(name, value)| name == "account" && value == "another")
}

/// Takes the provider's answer.
pub(super) async fn callback(
    State(app): State<App>,
    texts: &'static Texts,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let name = app.sign_ins.named_by(&query).and_then(|id| app.sign_ins.cookie_name(id));
    let cookie = cookie_in(&headers, name);
    match app.sign_ins.handle_callback(&query, cookie.as_deref()).await {
        Ok(returned) => page_of(texts, &app, &returned),
        Err(problem) => problem_page(texts, &problem),
    }
}

/// The page that opened the popup has answered it.
pub(super) async fn confirm_by_opener(
    State(app): State<App>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    if !is_own(&headers, app.sign_ins.public_origin()) {
        return Err(Problem::state_mismatch());
    }
    let name = AuthorizationId::read(&id).and_then(|id| app.sign_ins.cookie_name(id));
    let cookie = cookie_in(&headers, name);
    app.sign_ins.confirm_by_opener(&id, cookie.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn page_of(texts: &Texts, app: &App, CallbackResult { row, outcome }: &CallbackResult) -> Response {
    match outcome {
        Ok(account) => {
            let provider =
                app.custodian.provider(&row.provider).and_then(|provider| provider.sign_in.as_ref());
            let provider = provider.map_or("", |sign_in| sign_in.display_name.as_str());
            returned_page(texts, row, account, provider)
        }
        Err(failure) => {
            let page_origin = row.page_origin.as_deref().unwrap_or_default();
            failure_page(texts, failure, &row.id.to_string(), page_origin)
        }
    }
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

/// Whether a page of this origin sent the request, by the headers of the browser.
fn is_own(headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) {
        (Some(origin), None) => Some(origin) == public_origin,
        _ => false,
    }
}

/// The value of the cookie of this name; none if there are two, because a sibling domain may have set one.
pub(super) fn cookie_in(headers: &HeaderMap, name: Option<String>) -> Option<String> {
    let wanted = name?;
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    values.next().filter(|_| values.next().is_none())
}
