//! The HTTP interface, one file for each route.

mod accounts;
mod applications;
mod authorizations;
mod connect;
mod events;
mod health;
mod metrics;
mod name;
mod no_store;
mod openapi;
mod pages;
mod slow_bodies;
mod through;
mod token;

pub use openapi::OPENAPI;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::middleware;
use axum::routing::{any, get, post};

use crate::callers::{Caller, Callers, Peer};
use crate::connect::SignIns;
use crate::problem::Problem;
use crate::refresh::Custodian;
use crate::through::Through;

/// The longest body of a request, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The state that the routes share.
#[derive(Clone)]
pub struct App {
    /// Refreshes and stores tokens.
    pub custodian: Arc<Custodian>,
    /// Signs users in.
    pub sign_ins: Arc<SignIns>,
    /// Authenticates callers.
    pub callers: Arc<Callers>,
    /// Makes calls for callers.
    pub through: Arc<Through>,
}

/// The routes for callers.
pub fn callers(app: App) -> Router {
    Router::new()
        .route("/v1/events", get(events::events))
        .route("/v1/token", post(token::token))
        .route("/v1/authorizations", post(authorizations::begin))
        .route("/v1/authorizations/{id}", get(authorizations::view).delete(authorizations::give_up))
        .route("/v1/authorizations/{id}/confirm", post(authorizations::confirm))
        .route("/v1/authorizations/{id}/deposit", post(authorizations::deposit))
        .route("/connect/{id}", get(connect::show_consent).post(connect::continue_to_provider))
        .route("/connect/{id}/here", post(connect::confirm_by_opener))
        .route("/callback", get(connect::callback))
        .route("/auth/{provider}/login", get(applications::login))
        .route("/auth/{provider}/callback", get(applications::callback))
        .route("/api/box/test_folder", get(applications::test_folder))
        .route("/api/{provider}/status", get(applications::status))
        .route("/api/{provider}/disconnect", post(applications::disconnect))
        .route("/v1/accounts", get(accounts::list))
        .route("/v1/accounts/{id}", get(accounts::one).delete(accounts::disconnect))
        .layer(middleware::map_request(slow_bodies::limit))
        .route("/v1/through/{*target}", any(through::through))
        .fallback(connect::unknown_route)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(crate::metrics::count))
        .layer(middleware::map_response(no_store::no_store))
        .layer(middleware::from_fn(crate::trace::follow))
        .with_state(app)
}

/// The routes for administrators and probes.
pub fn admin(app: App) -> Router {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::document))
        .fallback(async || Problem::unknown_route())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::map_response(no_store::no_store))
        .with_state(app)
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
        Ok(app.callers.identify(&parts.headers, peer).await?)
    }
}
