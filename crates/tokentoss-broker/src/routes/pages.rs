//! The pages that people see, in the language that their browser asks for.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use tokentoss_core::base64url;

use crate::connect::{ConsentPrompt, Failure, PendingAccount, scopes_in};
use crate::problem::Problem;
use crate::random;
use crate::store::Authorization;
use crate::texts::{Text, Texts};

/// The consent page.
#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    texts: &'a Texts,
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
    texts: &'a Texts,
    /// What the page's script says.
    of_script: ScriptTexts<'a>,
    nonce: &'a str,
    id: String,
    page_origin: &'a str,
    provider: &'a str,
    account: &'a str,
    confirmation: &'a str,
}

/// What the script of the last page says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScriptTexts<'a> {
    one_more_step: &'a Text,
    type_this: &'a Text,
    not_signed_in: &'a Text,
    interrupted: String,
    signed_in: &'a Text,
    may_close: &'a Text,
}

/// A page with a message.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    texts: &'a Texts,
    nonce: &'a str,
    /// `done`, `failed` or `note`, which its icon shows.
    outcome: &'a str,
    heading: &'a Text,
    sentence: &'a str,
    /// The reason of the failure for the page that opened the popup, if there is one.
    code: &'a str,
    id: &'a str,
    page_origin: &'a str,
}

impl<S: Sync> FromRequestParts<S> for &'static Texts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Texts::of(&parts.headers))
    }
}

/// Renders the consent page.
pub(super) fn consent_page(texts: &Texts, prompt: &ConsentPrompt, wants_another: bool) -> Response {
    let row = &prompt.row;
    let mut response = page(texts, StatusCode::OK, |nonce| {
        ConsentPage {
            texts,
            nonce,
            provider: &prompt.provider,
            host: &prompt.host,
            client_id: &prompt.client_id,
            user: &row.user,
            tenant: &row.tenant,
            kernel: row.kernel.as_deref().unwrap_or_default(),
            page_origin: row.page_origin.as_deref().unwrap_or_default(),
            scopes: scopes_in(&row.scopes).collect(),
            offers_another: prompt.offers_another,
            wants_another: prompt.offers_another && wants_another,
        }
        .render()
    });
    // With `no-referrer` browsers send `Origin: null` with the form (Fetch, section 3.2).
    let policy = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(header::REFERRER_POLICY, policy);
    response
}

/// Renders the page that asks the notebook page, or the user, for the confirmation.
pub(super) fn returned_page(
    texts: &Texts,
    row: &Authorization,
    account: &PendingAccount,
    provider: &str,
) -> Response {
    page(texts, StatusCode::OK, |nonce| {
        ReturnedPage {
            texts,
            of_script: ScriptTexts {
                one_more_step: &texts.pages.one_more_step,
                type_this: &texts.broker_pages.type_this,
                not_signed_in: &texts.pages.not_signed_in,
                interrupted: sentence_of(texts, &Failure::INTERRUPTED),
                signed_in: &texts.pages.signed_in,
                may_close: &texts.pages.may_close,
            },
            nonce,
            id: row.id.to_string(),
            page_origin: row.page_origin.as_deref().unwrap_or_default(),
            provider,
            account: &account.label,
            confirmation: &account.confirmation,
        }
        .render()
    })
}

/// Renders the reason why a sign-in failed, for the user and for the notebook page.
pub(super) fn failure_page(texts: &Texts, failure: &Failure, id: &str, page_origin: &str) -> Response {
    let sentence = sentence_of(texts, failure);
    not_signed_in(texts, StatusCode::OK, &sentence, failure.code(), (id, page_origin))
}

/// Renders the page after success, which closes its window.
pub(super) fn closing_page(texts: &Texts, account: &str) -> Response {
    let pages = &texts.pages;
    let sentence = format!("{} {}", pages.signed_in_as.with(&[("account", account)]), pages.may_close);
    page(texts, StatusCode::OK, |nonce| {
        NoticePage {
            texts,
            nonce,
            outcome: "done",
            heading: &pages.signed_in,
            sentence: &sentence,
            code: "",
            id: "",
            page_origin: "",
        }
        .render()
    })
}

/// Renders the page for an address that no sign-in leads to.
pub(super) fn nothing_to_do_page(texts: &Texts) -> Response {
    let pages = &texts.pages;
    page(texts, StatusCode::NOT_FOUND, |nonce| {
        NoticePage {
            texts,
            nonce,
            outcome: "note",
            heading: &pages.nothing_to_do,
            sentence: &pages.nothing_to_do_how.to_string(),
            code: "",
            id: "",
            page_origin: "",
        }
        .render()
    })
}

/// Renders a problem for people.
pub(super) fn problem_page(texts: &Texts, problem: &Problem) -> Response {
    problem.log();
    // In the table of errors this code is a provider's error (RFC 6749 section 4.1.2.1), with other advice.
    let sentence = if problem.code() != "invalid_request" {
        texts.sentence(problem.code(), None)
    } else {
        // An error of an application is for its developer, in English.
        let is_users = problem.title() == Problem::invalid_request().title();
        is_users.then(|| texts.broker_pages.not_understood.to_string())
    };
    let sentence = sentence.unwrap_or_else(|| problem.title().to_owned());
    not_signed_in(texts, problem.status(), &sentence, problem.code(), ("", ""))
}

fn sentence_of(texts: &Texts, failure: &Failure) -> String {
    texts.sentence(failure.code(), failure.about()).unwrap_or_else(|| failure.sentence())
}

fn not_signed_in(
    texts: &Texts,
    status: StatusCode,
    sentence: &str,
    code: &str,
    (id, page_origin): (&str, &str),
) -> Response {
    page(texts, status, |nonce| {
        NoticePage {
            texts,
            nonce,
            outcome: "failed",
            heading: &texts.pages.not_signed_in,
            sentence,
            code,
            id,
            page_origin,
        }
        .render()
    })
}

/// A page that cannot be framed, loads nothing, and runs only scripts and styles with its nonce (Content
/// Security Policy).
fn page(texts: &Texts, status: StatusCode, render: impl FnOnce(&str) -> askama::Result<String>) -> Response {
    let nonce = base64url::encode(&random::bytes::<16>());
    let Ok(text) = render(&nonce) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    // No `form-action`: browsers apply it to redirects to the provider too.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_LANGUAGE, texts.language),
        (header::VARY, "Accept-Language"),
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
