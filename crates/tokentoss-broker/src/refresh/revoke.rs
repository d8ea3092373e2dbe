//! The request that revokes a token at its provider (RFC 7009).

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokentoss_core::Secret;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_custody::renewal::RevocationRequest;

use super::upstream::{Upstream, authentication_of, body_of, form_post, retry_after_of};
use super::{Custodian, CustodianError};
use crate::config::Provider;
use crate::keys::{CellAad, Column, column_of, open_cell};
use crate::metrics;
use crate::store::Revocation;
use crate::transport::TransportFailure;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The result of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The token is revoked, or the provider does not know it (any more).
    Done,
    /// The token will not be revoked: the provider does not revoke this type of token, its name now belongs
    /// to another issuer, or the user has signed in again, and some providers would revoke the new tokens
    /// too.
    Dropped,
    /// The token is not revoked yet; the provider may ask for a pause.
    NotYet(Option<Duration>),
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

enum Answer {
    Revoked(Revoked),
    /// The client's secret is not accepted.
    InvalidClient,
}

impl Custodian {
    /// Tries to revoke a token once, with each of the client's secrets until one is accepted.
    ///
    /// # Errors
    /// The token cannot be opened, or the database does not answer.
    pub async fn revoke(&self, revocation: &Revocation) -> Result<Revoked, CustodianError> {
        if revocation.is_connected_again {
            return Ok(Revoked::Dropped);
        }
        let provider = self.providers.get(&revocation.provider).ok_or(CustodianError::NotConnected)?;
        if !provider.is_of(&revocation.issuer) {
            return Ok(Revoked::Dropped);
        }
        let Some(endpoint) = &provider.revocation_endpoint else { return Ok(Revoked::Dropped) };
        let key = self.data_key(&revocation.tenant).await?;
        let aad = CellAad {
            account: revocation.account(),
            grant: revocation.grant,
            cell: revocation.cell,
            // The queue does not tell which token it is. Nobody but the provider gets it.
            column: column_of(&revocation.sealed).unwrap_or_else(Column::refresh_token),
        };
        let token = open_cell(&key, &aad, &revocation.sealed)?;
        for secret in 0..provider.client_secrets.len().max(1) {
            let answer = self.upstream.revoke(provider, endpoint, secret, &token).await;
            metrics::upstream(&provider.name, "revoke", answer.name());
            if let Answer::Revoked(revoked) = answer {
                return Ok(revoked);
            }
        }
        Ok(Revoked::NotYet(None))
    }
}

impl Answer {
    const fn name(&self) -> &'static str {
        match self {
            Self::Revoked(Revoked::Done) => "revoked",
            Self::Revoked(Revoked::Dropped) => "unsupported",
            Self::Revoked(Revoked::NotYet(_)) => "failed",
            Self::InvalidClient => "invalid_client",
        }
    }
}

impl Upstream {
    async fn revoke(
        &self,
        provider: &Provider,
        endpoint: &EndpointUrl,
        secret: usize,
        token: &Secret,
    ) -> Answer {
        let authentication = authentication_of(provider, secret);
        let request = RevocationRequest::new(&provider.client_id, authentication, token);
        let call = form_post(
            self.client(endpoint),
            endpoint,
            request.authorization.as_ref(),
            &request.body,
            TIMEOUT,
        );
        let Some(call) = call else { return Answer::Revoked(Revoked::NotYet(None)) };
        match call.send().await {
            Ok(response) => answer(response).await,
            Err(error) => {
                let cause = TransportFailure::of(&error).name();
                let is_connect = error.is_connect();
                tracing::info!(
                    provider = provider.name,
                    is_connect,
                    cause,
                    "no answer of a revocation endpoint"
                );
                Answer::Revoked(Revoked::NotYet(None))
            }
        }
    }
}

async fn answer(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    if status.is_success() {
        return Answer::Revoked(Revoked::Done);
    }
    let pause = retry_after_of(&response).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let body = body_of(&mut response).await.unwrap_or_default();
    let word = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error).unwrap_or_default();
    match word.as_str() {
        // An invalid token counts as revoked (RFC 7009 section 2.2); Google reports it with status 400.
        "invalid_token" if status.is_client_error() => Answer::Revoked(Revoked::Done),
        "unsupported_token_type" => Answer::Revoked(Revoked::Dropped),
        "invalid_client" => Answer::InvalidClient,
        _ if status == StatusCode::UNAUTHORIZED => Answer::InvalidClient,
        _ => Answer::Revoked(Revoked::NotYet(pause)),
    }
}
