//! The one request to a token endpoint.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, redirect};
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::{Authentication, BODY_LIMIT, Reading, RefreshAnswer, RefreshRequest};
use tokentoss_custody::{Failure, Outcome, Target};

use crate::config::{AuthenticationKind, Provider};

/// The HTTP client of all providers.
#[derive(Clone, Debug)]
pub struct Upstream(Client);

impl Upstream {
    /// A client that follows no redirect and keeps its connections.
    ///
    /// # Errors
    /// That TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        // Another library may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("tokentoss-broker/", env!("CARGO_PKG_VERSION")));
        client.build().map(Self)
    }

    /// Sends a refresh token once.
    pub async fn refresh(
        &self,
        provider: &Provider,
        secret: usize,
        refresh: &Secret,
        target: &Target,
        timeout: Duration,
    ) -> Reading {
        let authentication = match (provider.authentication, provider.client_secrets.get(secret)) {
            (AuthenticationKind::Post, Some(secret)) => Authentication::Post(secret),
            (AuthenticationKind::Basic, Some(secret)) => Authentication::Basic(secret),
            _ => Authentication::None,
        };
        let request = RefreshRequest::new(&provider.client_id, authentication, refresh, target);
        let mut call = self
            .0
            .post(provider.token_endpoint.as_str())
            .timeout(timeout)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(request.body.expose().to_owned());
        if let Some(authorization) = request.authorization {
            let Ok(mut value) = HeaderValue::from_str(authorization.expose()) else {
                return Reading::Outcome(Outcome::failed(Failure::NotSent));
            };
            value.set_sensitive(true);
            call = call.header(AUTHORIZATION, value);
        }
        match read(call).await {
            Ok(reading) => reading,
            Err(error) => {
                let failure = if error.is_connect() || error.is_builder() {
                    Failure::NotSent
                } else {
                    Failure::AnswerLost
                };
                tracing::info!(
                    provider = provider.name,
                    failure = failure.name(),
                    "no answer of a token endpoint"
                );
                Reading::Outcome(Outcome::failed(failure))
            }
        }
    }
}

async fn read(call: reqwest::RequestBuilder) -> Result<Reading, reqwest::Error> {
    let mut response = call.send().await?;
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            break;
        }
    }
    // Text that is none is no JSON either.
    let body = Secret::new(String::from_utf8(body).unwrap_or_default());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let received_at = Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    Ok(RefreshAnswer { status, retry_after: retry_after.as_deref(), received_at, body: &body }.read())
}
