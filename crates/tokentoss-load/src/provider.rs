//! A token endpoint that rotates refresh tokens.
//!
//! A refresh token is `refresh-<account>-<generation>`. The one before the current one is answered again, as providers with
//! a grace window do; any older one is refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::json;
use tokio::net::TcpListener;

use crate::Failure;

#[derive(Default)]
struct Provider {
    /// The issuer identifier.
    origin: String,
    /// The generation that is current, by account; generation 0 where there is none.
    current: Mutex<HashMap<String, u64>>,
    /// Requests so far.
    count: AtomicU64,
    /// How long an answer takes, in milliseconds.
    takes: AtomicU64,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    println!("{}", json!({"origin": origin}));
    let routes = Router::new()
        .route("/token", post(token))
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/count", get(count))
        .route("/takes/{milliseconds}", put(take))
        .with_state(Arc::new(Provider { origin, ..Provider::default() }));
    Ok(axum::serve(listener, routes).await?)
}

async fn token(State(provider): State<Arc<Provider>>, body: Bytes) -> Response {
    provider.count.fetch_add(1, Ordering::Relaxed);
    let sent = form_urlencoded::parse(&body).find(|(name, _)| name == "refresh_token");
    let Some(answer) = sent.and_then(|(_, token)| provider.rotate(&token)) else {
        return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
    };
    let takes = provider.takes.load(Ordering::Relaxed);
    if takes > 0 {
        tokio::time::sleep(Duration::from_millis(takes)).await;
    }
    answer.into_response()
}

impl Provider {
    /// The answer to a refresh token; none where it is refused.
    fn rotate(&self, token: &str) -> Option<String> {
        let (account, generation) = token.strip_prefix("refresh-")?.rsplit_once('-')?;
        let generation: u64 = generation.parse().ok()?;
        let mut all = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let current = all.entry(account.to_owned()).or_default();
        if generation == *current {
            *current += 1;
        } else if generation + 1 != *current {
            return None;
        }
        let body = json!({
            "access_token": format!("access-{account}-{current:0>200}"),
            "refresh_token": format!("refresh-{account}-{current}"),
            "token_type": "Bearer",
            "expires_in": 3600,
        });
        Some(body.to_string())
    }
}

/// What a peer needs to know of a provider (OpenID Connect Discovery section 3).
async fn metadata(State(provider): State<Arc<Provider>>) -> Response {
    let origin = &provider.origin;
    let body = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "jwks_uri": format!("{origin}/keys"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": ["openid", "offline_access"],
    });
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn count(State(provider): State<Arc<Provider>>) -> String {
    provider.count.load(Ordering::Relaxed).to_string()
}

async fn take(State(provider): State<Arc<Provider>>, Path(milliseconds): Path<u64>) {
    provider.takes.store(milliseconds, Ordering::Relaxed);
}
