//! The broker's first page, which says who asks for what; and the way on to the provider.

use tokentoss_core::Secret;
use tokentoss_core::authorization::AuthorizationRequest;
use tokentoss_core::client::Client;
use tokentoss_core::endpoint::EndpointUrl;

use super::{BrowserCookie, SignIns, UNDER_WAY, Way, scopes_in, sha256};
use crate::problem::Problem;
use crate::random::{self, OsEntropy};
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationChange, AuthorizationId, Stage};

/// What the first page says.
#[derive(Clone, Debug)]
pub struct ConsentPrompt {
    /// The sign-in.
    pub row: Authorization,
    /// The provider's name for people.
    pub provider: String,
    /// The client.
    pub client_id: String,
    /// The host that the user goes to.
    pub host: String,
    /// Whether the provider can be made to ask which account to use.
    pub offers_another: bool,
}

/// The way on. Its address holds the state, so that it is shown nowhere.
pub struct ProviderRedirect {
    /// The provider's page.
    pub url: String,
    /// What ties the answer to this browser.
    pub cookie: BrowserCookie,
}

impl SignIns {
    /// What the first page says of a sign-in that waits for its user.
    ///
    /// # Errors
    /// That it is over, or was never there.
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

    /// Sends the user of a browser to the provider, after they said yes; to choose another account, if they asked for it.
    ///
    /// # Errors
    /// As [`SignIns::consent_prompt`].
    pub async fn start(&self, id: &str, another_account: bool) -> Result<ProviderRedirect, Problem> {
        let ConsentPrompt { row, .. } = self.consent_prompt(id).await?;
        let redirect_uri = self.redirect_uri().ok_or_else(Problem::way_unavailable)?;
        self.begin_authorization(&row, &redirect_uri, another_account).await
    }

    /// Makes state, verifier, nonce and cookie, and keeps what the answer will be checked with.
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
        // None once the configuration has changed.
        let request = request(&client.ok_or_else(Problem::authorization_expired)?, redirect_uri, state)?;
        let cookie = BrowserCookie::new(row.id, redirect_uri.as_str());
        let verifier = Secret::new(request.verifier().expose().to_owned());
        let change = AuthorizationChange {
            from: vec![Stage::Pending],
            // An earlier state of the same sign-in ends with this: the user went back and began again.
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
