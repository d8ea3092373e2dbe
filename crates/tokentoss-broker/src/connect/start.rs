//! The consent page, and the redirect to the provider.

use tokentoss_core::Secret;
use tokentoss_core::authorization::AuthorizationRequest;
use tokentoss_core::client::Client;
use tokentoss_core::endpoint::EndpointUrl;

use super::{BrowserCookie, SignIns, UNDER_WAY, Way, scopes_in, sha256};
use crate::problem::Problem;
use crate::random::{self, OsEntropy};
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationChange, AuthorizationId, Stage};

/// The content of the consent page.
#[derive(Clone, Debug)]
pub struct ConsentPrompt {
    /// The sign-in.
    pub row: Authorization,
    /// The provider's name for people.
    pub provider: String,
    /// The client.
    pub client_id: String,
    /// The host of the provider.
    pub host: String,
    /// Whether the provider has an account chooser.
    pub offers_another: bool,
}

/// The redirect to the provider. Its URL contains the state, so it must not be logged.
pub struct ProviderRedirect {
    /// The provider's page.
    pub url: String,
    /// The cookie that binds the answer to this browser.
    pub cookie: BrowserCookie,
}

impl SignIns {
    /// The content of the consent page for a pending sign-in.
    ///
    /// # Errors
    /// The sign-in has ended, or does not exist.
    pub async fn consent_prompt(&self, id: &str) -> Result<ConsentPrompt, Problem> {
        let id = AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?;
        let row = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        let row = row.filter(|row| row.way == Way::Page).ok_or_else(Problem::authorization_unknown)?;
        if row.stage != Stage::Pending || row.expires_at <= row.now {
            return Err(Problem::authorization_expired());
        }
        let (_, settings) = self.provider(&row.provider)?;
        Ok(ConsentPrompt {
            provider: settings.display_name.clone(),
            client_id: settings.client.client_id().to_owned(),
            host: settings.client.provider().authorization_endpoint().authority().to_owned(),
            offers_another: settings.asking_for_account.is_some(),
            row,
        })
    }

    /// Redirects the browser to the provider after consent; with an account chooser if the user requested it.
    ///
    /// # Errors
    /// As [`SignIns::consent_prompt`].
    pub async fn start(&self, id: &str, another_account: bool) -> Result<ProviderRedirect, Problem> {
        let ConsentPrompt { row, .. } = self.consent_prompt(id).await?;
        let redirect_uri = self.redirect_uri().ok_or_else(Problem::way_unavailable)?;
        self.begin_authorization(&row, &redirect_uri, another_account).await
    }

    /// Creates state, verifier, nonce and cookie, and stores the values that the answer is checked with.
    pub(super) async fn begin_authorization(
        &self,
        row: &Authorization,
        redirect_uri: &EndpointUrl,
        another_account: bool,
    ) -> Result<ProviderRedirect, Problem> {
        let (_, settings) = self.provider(&row.provider)?;
        let state = self.custodian.ring().new_state(row.id);
        let state_hash = sha256(state.expose());
        let scopes: Vec<String> = scopes_in(&row.scopes).map(str::to_owned).collect();
        let client = if another_account {
            settings.client_for_another(&scopes)
        } else {
            settings.client_for(&scopes, row.login_hint.clone())
        };
        // None after a change of the configuration.
        let request = request(&client.ok_or_else(Problem::authorization_expired)?, redirect_uri, state)?;
        let cookie = BrowserCookie::new(row.id, redirect_uri.as_str());
        let verifier = Secret::new(request.verifier().expose().to_owned());
        let change = AuthorizationChange {
            from: vec![Stage::Pending],
            // Replaces an earlier state of the same sign-in, if the user went back and started again.
            started: Some((state_hash, sha256(cookie.value().expose()))),
            sealed: Some(self.seal(row, "verifier", &verifier).await?),
            nonce: Some(request.nonce().to_owned()),
            ends_in: Some(UNDER_WAY),
            ..AuthorizationChange::default()
        };
        let store = &self.custodian.store;
        let changed = store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
        changed.ok_or_else(Problem::authorization_expired)?;
        Ok(ProviderRedirect { url: request.url().to_owned(), cookie })
    }
}

fn request(
    client: &Client,
    redirect_uri: &EndpointUrl,
    state: Secret,
) -> Result<AuthorizationRequest, Problem> {
    let nonce = tokentoss_core::base64url::encode(&random::bytes::<32>());
    AuthorizationRequest::with_state(client, redirect_uri, state, String::new(), nonce, &mut OsEntropy)
        .map_err(|_| Problem::key_unavailable())
}
