//! The exchange of a code for tokens, and the identity of the user.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokentoss_core::authorization_response::VerifiedCode;
use tokentoss_core::client::Client;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_core::id_token::check_claims;
use tokentoss_core::pkce::CodeVerifier;
use tokentoss_core::token_endpoint::{TokenResponse, code_exchange};
use tokentoss_core::{Error, ErrorCode, Secret, Timestamp};
use tokentoss_custody::Scopes;
use tokentoss_custody::renewal::Tokens;

use super::{Failure, IdentitySource, SignInSettings, SignIns};
use crate::clock::now;
use crate::config::Provider;
use crate::metrics;
use crate::refresh::GrantBefore;

/// The time limit for each request.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest name of a user at a provider, in characters (OpenID Connect Core section 2).
const SUBJECT_LIMIT: usize = 255;

/// The redeemed tokens of a sign-in that waits for a confirmation. They are stored sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct RedeemedTokens {
    access_token: String,
    refresh_token: Option<String>,
    id_token: Option<String>,
    /// Milliseconds since 1970.
    id_token_expires_at: Option<u64>,
    /// Seconds.
    expires_in: Option<u64>,
    scopes: Vec<String>,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// When the code was redeemed by the database's clock, in milliseconds since 1970.
    #[serde(default)]
    pub(super) redeemed_at: Option<u64>,
    /// The account at that moment.
    #[serde(default)]
    pub(super) before: GrantBefore,
}

impl RedeemedTokens {
    /// The tokens for the custody them now: their life began when the code was redeemed.
    pub(super) fn tokens(&self, now: Timestamp) -> Tokens {
        let waited = self.redeemed_at.map_or(0, |at| now.as_millis().saturating_sub(at) / 1000);
        // A life of nothing would mean that the provider tells none.
        let left = |life: u64| Duration::from_secs(life.saturating_sub(waited).max(life.min(1)));
        Tokens {
            access: Secret::new(self.access_token.clone()),
            refresh: self.refresh_token.clone().map(Secret::new),
            id_token: self.id_token.clone().map(Secret::new),
            expires_in: self.expires_in.map(left),
            scopes: Some(Scopes::of_provider(&self.scopes.join(" "))),
        }
    }

    /// The display name of the account.
    pub(super) fn label(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.subject)
    }

    /// The expiry of the ID token.
    pub(super) fn id_token_expires_at(&self) -> Option<Timestamp> {
        self.id_token_expires_at.map(Timestamp::from_millis)
    }
}

/// A code with the values for its exchange.
pub(super) struct Redeemable {
    pub(super) code: VerifiedCode,
    pub(super) verifier: CodeVerifier,
    pub(super) redirect_uri: EndpointUrl,
    pub(super) nonce: String,
}

impl SignIns {
    /// Redeems a code once, and reads the identity of the user.
    pub(super) async fn redeem(
        &self,
        provider: &Provider,
        settings: &SignInSettings,
        client: &Client,
        redeemable: &Redeemable,
    ) -> Result<RedeemedTokens, Failure> {
        let Redeemable { code, verifier, redirect_uri, nonce } = redeemable;
        // A code is consumed by its first use, so only a refused client secret allows another attempt.
        let secrets =
            provider.client_secrets.iter().map(Some).chain([None]).take(provider.client_secrets.len().max(1));
        let mut refused = Error::from(ErrorCode::InvalidClient);
        for secret in secrets {
            let form = code_exchange(client, code, redirect_uri, verifier, secret);
            let endpoint = client.provider().token_endpoint();
            let answer = self.custodian.upstream().post(endpoint, &form, TIMEOUT).await;
            let answer = answer.map(|answer| TokenResponse::read(&answer, endpoint, client.scopes()));
            metrics::upstream(&provider.name, "sign_in", outcome_of(answer.as_ref()));
            match answer.ok_or(Failure::PROVIDER_UNAVAILABLE)? {
                Ok(tokens) => return self.identify(settings, client, tokens, nonce).await,
                Err(error) if error.code() == ErrorCode::InvalidClient => refused = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.into())
    }

    async fn identify(
        &self,
        settings: &SignInSettings,
        client: &Client,
        tokens: TokenResponse,
        nonce: &str,
    ) -> Result<RedeemedTokens, Failure> {
        let Some(source) = &settings.identity else {
            let verified = check_claims(tokens, client, Some(nonce), now())?;
            let identity =
                verified.identity().filter(|it| is_name(&it.subject)).ok_or(Failure::IDENTITY_UNUSABLE)?;
            let end = Some(identity.expires_at.as_millis());
            return Ok(redeemed_tokens(verified.tokens(), identity.subject, identity.email, end));
        };
        let answer = self.custodian.upstream().get(&source.endpoint, &tokens.access_token, TIMEOUT).await;
        let answer = answer.ok_or(Failure::PROVIDER_UNAVAILABLE)?;
        let (subject, email) = read_identity(&answer, source).ok_or(Failure::IDENTITY_UNUSABLE)?;
        Ok(redeemed_tokens(&tokens, subject, email, None))
    }
}

/// The name by which the answer to a code is counted: one of this program's.
fn outcome_of(answer: Option<&Result<TokenResponse, Error>>) -> &'static str {
    match answer {
        None => "no_answer",
        Some(Ok(_)) => "redeemed",
        Some(Err(error)) => error.code().as_str(),
    }
}

fn redeemed_tokens(
    tokens: &TokenResponse,
    subject: String,
    email: Option<String>,
    end: Option<u64>,
) -> RedeemedTokens {
    let text = |token: &Secret| token.expose().to_owned();
    RedeemedTokens {
        access_token: text(&tokens.access_token),
        refresh_token: tokens.refresh_token.as_ref().map(text),
        id_token: tokens.id_token.as_ref().filter(|_| end.is_some()).map(text),
        id_token_expires_at: end,
        expires_in: tokens.expires_in,
        scopes: tokens.scopes.clone(),
        subject,
        // It is for display and for choosing.
        email: email.filter(|email| !has_controls(email)),
        redeemed_at: None,
        before: GrantBefore::default(),
    }
}

fn read_identity(answer: &EndpointAnswer, source: &IdentitySource) -> Option<(String, Option<String>)> {
    let document: Value = serde_json::from_str(answer.body.expose()).ok()?;
    let subject = match document.get(&source.subject)? {
        Value::String(text) => text.clone(),
        // GitHub's subjects are numbers.
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let email = document.get(&source.email).and_then(Value::as_str).map(str::to_owned);
    (answer.status == 200 && is_name(&subject)).then_some((subject, email))
}

/// Whether it can be a database key for accounts.
fn is_name(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().nth(SUBJECT_LIMIT).is_none() && !has_controls(subject)
}

fn has_controls(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_tokens_begins_when_their_code_is_redeemed() {
        let life = |told, redeemed_at| {
            let redeemed = RedeemedTokens {
                access_token: "access".into(),
                refresh_token: None,
                id_token: None,
                id_token_expires_at: None,
                expires_in: told,
                scopes: Vec::new(),
                subject: "ada".into(),
                email: None,
                redeemed_at,
                before: GrantBefore::default(),
            };
            redeemed.tokens(Timestamp::from_millis(700_000)).expires_in.map(|life| life.as_secs())
        };
        assert_eq!(life(Some(3600), Some(100_000)), Some(3000));
        assert_eq!(life(Some(300), Some(100_000)), Some(1), "over, and not unknown");
        assert_eq!((life(Some(0), Some(100_000)), life(None, Some(100_000))), (Some(0), None), "unknown");
        assert_eq!(life(Some(3600), None), Some(3600), "kept by an earlier version");
        assert_eq!(life(Some(3600), Some(900_000)), Some(3600), "the clock was put back");
    }
}
