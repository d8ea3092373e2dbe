//! Requests to providers.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use tokentoss_core::Secret;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::form_request::{EndpointAnswer, FormRequest};
use tokentoss_custody::renewal::{Authentication, BODY_LIMIT, RefreshAnswer, RefreshRequest, RefreshResult};
use tokentoss_custody::{Failure, Outcome, Target};

use crate::clock::now;
use crate::config::{AuthenticationKind, Provider};
use crate::transport::{SystemNames, TransportFailure};

/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// The HTTP clients of all providers.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Goes by the proxy that the environment names.
    by_environment: Client,
    /// Goes by no proxy: plain HTTP would show it the secrets, and its loopback is another machine's.
    direct: Client,
}

impl Upstream {
    /// Clients that follow no redirect and keep their connections.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        // Fails harmlessly if a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECTING)
                .dns_resolver(SystemNames)
                .user_agent(concat!("tokentoss-broker/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self { by_environment: client().build()?, direct: client().no_proxy().build()? })
    }

    /// The client for an endpoint.
    pub(super) fn client(&self, endpoint: &EndpointUrl) -> &Client {
        if endpoint.is_loopback() { &self.direct } else { &self.by_environment }
    }

    /// Sends a refresh token once.
    pub async fn refresh(
        &self,
        provider: &Provider,
        secret: usize,
        refresh: &Secret,
        target: &Target,
        timeout: Duration,
    ) -> RefreshResult {
        let authentication = authentication_of(provider, secret);
        let request = RefreshRequest::new(&provider.client_id, authentication, refresh, target);
        let authorization = request.authorization.as_ref();
        let endpoint = &provider.token_endpoint;
        let call = form_post(self.client(endpoint), endpoint, authorization, &request.body, timeout);
        let Some(call) = call else { return RefreshResult::Outcome(Outcome::failed(Failure::NotSent)) };
        match read(call).await {
            Ok(result) => result,
            Err(error) => {
                let failure = if error.is_connect() || error.is_builder() {
                    Failure::NotSent
                } else {
                    Failure::AnswerLost
                };
                tracing::info!(
                    provider = provider.name,
                    failure = failure.name(),
                    cause = TransportFailure::of(&error).name(),
                    "no answer of a token endpoint"
                );
                RefreshResult::Outcome(Outcome::failed(failure))
            }
        }
    }
}

impl Upstream {
    /// Whether an endpoint is reached, by a request that holds nothing; whatever answers has done.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn reach(&self, endpoint: &EndpointUrl, timeout: Duration) -> Result<(), TransportFailure> {
        let call = self.client(endpoint).head(endpoint.as_str()).timeout(timeout);
        call.send().await.map(|_| ()).map_err(|error| TransportFailure::of(&error))
    }

    /// Posts a form once; none without a complete answer.
    pub async fn post(
        &self,
        endpoint: &EndpointUrl,
        form: &FormRequest,
        timeout: Duration,
    ) -> Option<EndpointAnswer> {
        let call =
            form_post(self.client(endpoint), endpoint, form.authorization.as_ref(), &form.body, timeout)?;
        answer_to(call).await
    }

    /// Requests a resource once with an access token; none without a complete answer.
    pub async fn get(
        &self,
        endpoint: &EndpointUrl,
        token: &Secret,
        timeout: Duration,
    ) -> Option<EndpointAnswer> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
        value.set_sensitive(true);
        let call =
            self.client(endpoint).get(endpoint.as_str()).timeout(timeout).header(ACCEPT, "application/json");
        answer_to(call.header(AUTHORIZATION, value)).await
    }
}

async fn answer_to(call: RequestBuilder) -> Option<EndpointAnswer> {
    let answer = async {
        let mut response = call.send().await?;
        let (status, body) = (response.status().as_u16(), body_of(&mut response).await?);
        // Invalid UTF-8 is not JSON either, so an empty text is equivalent.
        Ok::<_, reqwest::Error>(EndpointAnswer {
            status,
            body: Secret::new(String::from_utf8(body).unwrap_or_default()),
        })
    };
    answer
        .await
        .inspect_err(|error| {
            let cause = TransportFailure::of(error).name();
            tracing::info!(is_connect = error.is_connect(), cause, "no answer of a provider");
        })
        .ok()
}

/// The client authentication with the secret at this index.
pub(super) fn authentication_of(provider: &Provider, secret: usize) -> Authentication<'_> {
    match (provider.authentication, provider.client_secrets.get(secret)) {
        (AuthenticationKind::Post, Some(secret)) => Authentication::Post(secret),
        (AuthenticationKind::Basic, Some(secret)) => Authentication::Basic(secret),
        _ => Authentication::None,
    }
}

/// A POST request with a form; none if the secret is not a valid header value.
pub(super) fn form_post(
    client: &Client,
    endpoint: &EndpointUrl,
    authorization: Option<&Secret>,
    body: &Secret,
    timeout: Duration,
) -> Option<RequestBuilder> {
    let call = client
        .post(endpoint.as_str())
        .timeout(timeout)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.expose().to_owned());
    let Some(authorization) = authorization else { return Some(call) };
    let mut value = HeaderValue::from_str(authorization.expose()).ok()?;
    value.set_sensitive(true);
    Some(call.header(AUTHORIZATION, value))
}

pub(super) fn retry_after_of(response: &Response) -> Option<&str> {
    response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok())
}

/// The body, truncated shortly after the limit.
pub(super) async fn body_of(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            break;
        }
    }
    Ok(body)
}

async fn read(call: RequestBuilder) -> Result<RefreshResult, reqwest::Error> {
    let mut response = call.send().await?;
    let status = response.status().as_u16();
    let retry_after = retry_after_of(&response).map(str::to_owned);
    let body = body_of(&mut response).await?;
    // Invalid UTF-8 is not JSON either, so an empty text is equivalent.
    let body = Secret::new(String::from_utf8(body).unwrap_or_default());
    Ok(RefreshAnswer { status, retry_after: retry_after.as_deref(), received_at: now(), body: &body }.read())
}
