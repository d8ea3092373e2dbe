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
}

impl RedeemedTokens {
    /// The tokens for the custody machine.
    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            access: Secret::new(self.access_token.clone()),
            refresh: self.refresh_token.clone().map(Secret::new),
            id_token: self.id_token.clone().map(Secret::new),
            expires_in: self.expires_in.map(Duration::from_secs),
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
            let answer = answer.ok_or(Failure::PROVIDER_UNAVAILABLE)?;
            match TokenResponse::read(&answer, endpoint, client.scopes()) {
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
