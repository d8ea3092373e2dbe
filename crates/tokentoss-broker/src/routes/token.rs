//! `POST /v1/token`: issues a short-lived access token.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tokentoss_custody::{Credential, MinTtl, Scopes, Target, TokenHash};

use super::App;
use crate::callers::Caller;
use crate::connect::scopes_in;
use crate::problem::Problem;
use crate::refresh::{IssuedToken, TokenRequest};
use crate::store::GrantRow;

/// The largest `min_ttl`, in seconds.
const LONGEST_MIN_TTL: u64 = 86_400;

/// The longest list of scopes, in bytes, which is the limit of a database index.
const LONGEST_SCOPES: usize = 2000;

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRequestBody {
    provider: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    audience: Option<String>,
    /// Seconds.
    #[serde(default)]
    min_ttl: Option<u64>,
    /// Whether an ID token is requested; `min_ttl` and `rejected` then refer to it.
    #[serde(default)]
    id_token: bool,
    /// The SHA-256, in base64url, of a token that a resource refused.
    #[serde(default)]
    rejected: Option<String>,
}

/// The body of the answer. It has no member that could hold a refresh token.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_expires_at: Option<u64>,
    /// Seconds since 1970 by the database's clock; null if unknown.
    expires_at: Option<u64>,
    scopes: Vec<&'a str>,
    account: AccountAnswer<'a>,
    version: u64,
}

/// An account, as every answer names it.
#[derive(Serialize)]
pub(super) struct AccountAnswer<'a> {
    id: String,
    subject: &'a str,
    email: Option<&'a str>,
}

impl<'a> AccountAnswer<'a> {
    pub(super) fn of(row: &'a GrantRow) -> Self {
        Self { id: row.id.to_string(), subject: &row.subject, email: row.email.as_deref() }
    }
}

pub(super) async fn token(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<TokenRequestBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = body?;
    let request = request.read().ok_or_else(Problem::invalid_request)?;
    caller.may_ask_for(&request.provider)?;
    let issued = app.custodian.token(&caller.tenant, &caller.user, &request).await?;
    tracing::info!(
        target: "audit",
        action = "token",
        caller = caller.name,
        tenant = caller.tenant,
        user = caller.user,
        provider = request.provider,
        grant = %issued.row.id,
        "gave a token"
    );
    Ok(answer(&issued))
}

impl TokenRequestBody {
    /// The token request; none if a member is invalid.
    fn read(self) -> Option<TokenRequest> {
        let min_ttl = match self.min_ttl {
            None => MinTtl::Default,
            Some(seconds) if seconds <= LONGEST_MIN_TTL => MinTtl::AtLeast(Duration::from_secs(seconds)),
            Some(_) => return None,
        };
        let is_scope =
            |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
        let is_named = |name: &Option<String>| name.as_ref().is_none_or(|name| !name.is_empty());
        let length: usize = self.scopes.iter().map(|scope| scope.len() + 1).sum();
        if length > LONGEST_SCOPES
            || !self.scopes.iter().all(is_scope)
            || !is_named(&self.account)
            || !is_named(&self.audience)
        {
            return None;
        }
        let rejected = match self.rejected {
            None => None,
            Some(text) => Some(TokenHash(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?)),
        };
        let target = Target { scopes: Scopes::from_iter(self.scopes), audience: self.audience };
        let credential = if self.id_token { Credential::IdToken } else { Credential::AccessToken };
        if self.id_token && target.audience.is_some() {
            return None;
        }
        Some(TokenRequest {
            provider: self.provider,
            credential,
            account: self.account,
            target,
            min_ttl,
            rejected,
        })
    }
}

fn answer(issued: &IssuedToken) -> Response {
    let row = &issued.row;
    let body = TokenAnswer {
        access_token: issued.access.expose(),
        token_type: "Bearer",
        id_token: issued.id_token.as_ref().map(|(token, _)| token.expose()),
        id_token_expires_at: issued.id_token.as_ref().map(|(_, end)| end.as_secs()),
        expires_at: issued.life.map(|life| (issued.now + life).as_secs()),
        scopes: scopes_in(&issued.scopes).collect(),
        account: AccountAnswer::of(row),
        version: row.grant.version.0,
    };
    Json(body).into_response()
}
