//! Those who ask brokers for tokens.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;

use crate::Failure;

/// Whom to ask, and as whom.
#[derive(Args)]
pub(crate) struct Brokers {
    /// The brokers' origins, which take turns.
    #[arg(long = "broker", required = true)]
    origins: Vec<String>,
    /// The file with the caller's key.
    #[arg(long)]
    key: PathBuf,
    /// The tenant of the users.
    #[arg(long)]
    tenant: String,
}

/// Callers that share connections.
pub(crate) struct Callers {
    http: reqwest::Client,
    origins: Vec<String>,
    key: String,
    tenant: String,
}

/// What a caller got.
pub(crate) struct Answered {
    pub(crate) access_token: String,
    pub(crate) took: Duration,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

impl Callers {
    pub(crate) fn of(brokers: Brokers) -> Result<Self, Failure> {
        // Another library may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = std::fs::read_to_string(&brokers.key)?.trim().to_owned();
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, origins: brokers.origins, key, tenant: brokers.tenant })
    }

    /// Asks for the token of a user; `turn` says which broker.
    pub(crate) async fn token(&self, turn: usize, user: usize) -> Result<Answered, Failure> {
        let origin = self.origins.get(turn % self.origins.len()).ok_or("no broker is named")?;
        let request = self
            .http
            .post(format!("{origin}/v1/token"))
            .bearer_auth(&self.key)
            .header("x-tokentoss-tenant", &self.tenant)
            .header("x-tokentoss-user", user_name(user))
            .header("content-type", "application/json")
            .body(r#"{"provider":"bench"}"#);
        let began = Instant::now();
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        let took = began.elapsed();
        if status != reqwest::StatusCode::OK {
            return Err(format!("{origin} answered {status}: {}", body.escape_ascii()).into());
        }
        let TokenAnswer { access_token } = serde_json::from_slice(&body)?;
        Ok(Answered { access_token, took })
    }
}

/// The name of a user.
pub(crate) fn user_name(user: usize) -> String {
    format!("user-{user}")
}
