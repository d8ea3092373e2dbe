//! A token endpoint that rotates refresh tokens, and ends the grant when a spent one comes again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

/// How it answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum ProviderBehaviour {
    /// As a working provider does.
    #[default]
    Normal,
    /// With this status and body.
    Respond(u16, &'static str),
    /// With status 429 and the header `Retry-After`.
    Overloaded,
}

#[derive(Debug, Default)]
struct Truth {
    /// Refresh tokens that it fails at, again and again.
    poison: HashSet<String>,
    /// Grants by the refresh token that is valid now.
    alive: HashMap<String, u32>,
    /// What was sent, in order.
    forms: Vec<HashMap<String, String>>,
    count: u32,
    behaviour: ProviderBehaviour,
    takes: Duration,
    /// Answers wait for it.
    gate: Arc<RwLock<()>>,
    life: u64,
    /// The answers to spent tokens, where they are given again.
    grace: Option<HashMap<String, String>>,
    /// What was sent to be revoked, with the header `Authorization`.
    revoked: Vec<(HashMap<String, String>, Option<String>)>,
    revoking: ProviderBehaviour,
    issuer: String,
    /// What the authorization endpoint gave codes for.
    codes: HashMap<String, Granted>,
    /// Whose the access tokens are that came of codes.
    people: HashMap<String, String>,
}

/// What somebody consented to.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) subject: String,
    pub(crate) nonce: String,
    pub(crate) challenge: String,
    pub(crate) redirect_uri: String,
}

/// The provider.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    truth: Arc<Mutex<Truth>>,
    /// Its token endpoint.
    pub(crate) token_endpoint: String,
    /// Its revocation endpoint.
    pub(crate) revocation_endpoint: String,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let issuer = format!("http://{address}");
        let truth = Arc::new(Mutex::new(Truth { life: 3600, issuer, ..Truth::default() }));
        let router = Router::new().route("/token", post(token)).route("/revoke", post(revoke));
        let router = router.route("/2.0/users/me", get(me)).route("/2.0/folders/{folder}/items", get(items));
        let router = router.with_state(Arc::clone(&truth));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            truth,
            token_endpoint: format!("http://{address}/token"),
            revocation_endpoint: format!("http://{address}/revoke"),
        }
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> &str {
        self.token_endpoint.strip_suffix("/token").expect("an origin")
    }

    /// Somebody consents to the request of this address; the address that the browser goes on to.
    pub(crate) fn consent(&self, address: &str, subject: &str) -> String {
        let (endpoint, query) = address.split_once('?').expect("a query");
        assert_eq!(endpoint, format!("{}/authorize", self.issuer()));
        let asked: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(
            (asked["response_type"].as_str(), asked["code_challenge_method"].as_str()),
            ("code", "S256")
        );
        let mut truth = self.truth.lock().expect("not poisoned");
        truth.count += 1;
        let code = format!("code-{}", truth.count);
        let granted = Granted {
            subject: subject.to_owned(),
            nonce: asked.get("nonce").cloned().unwrap_or_default(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        truth.codes.insert(code.clone(), granted);
        let state: String = form_urlencoded::byte_serialize(asked["state"].as_bytes()).collect();
        format!("{}?code={code}&state={state}", asked["redirect_uri"])
    }

    /// A code for whatever was consented to.
    pub(crate) fn code(&self, granted: Granted) -> String {
        let mut truth = self.truth.lock().expect("not poisoned");
        truth.count += 1;
        let code = format!("code-{}", truth.count);
        truth.codes.insert(code.clone(), granted);
        code
    }

    /// A refresh token of a new grant.
    pub(crate) fn grant(&self) -> String {
        let mut truth = self.truth.lock().expect("not poisoned");
        truth.count += 1;
        let refresh = format!("refresh-{}", truth.count);
        truth.alive.insert(refresh.clone(), 1);
        refresh
    }

    /// A refresh token of a new grant at which it fails, again and again.
    pub(crate) fn poisoned_grant(&self) -> String {
        let refresh = self.grant();
        self.truth.lock().expect("not poisoned").poison.insert(refresh.clone());
        refresh
    }

    pub(crate) fn set(&self, behaviour: ProviderBehaviour) {
        self.truth.lock().expect("not poisoned").behaviour = behaviour;
    }

    /// How long each answer takes.
    pub(crate) fn takes(&self, duration: Duration) {
        self.truth.lock().expect("not poisoned").takes = duration;
    }

    /// Answers nothing as long as this lives.
    pub(crate) async fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        let gate = Arc::clone(&self.truth.lock().expect("not poisoned").gate);
        gate.write_owned().await
    }

    /// The life of access tokens, in seconds.
    pub(crate) fn life(&self, seconds: u64) {
        self.truth.lock().expect("not poisoned").life = seconds;
    }

    /// Answers a spent token as it did the first time.
    pub(crate) fn has_grace(&self) {
        self.truth.lock().expect("not poisoned").grace = Some(HashMap::new());
    }

    /// How it answers to revocations.
    pub(crate) fn revoking(&self, behaviour: ProviderBehaviour) {
        self.truth.lock().expect("not poisoned").revoking = behaviour;
    }

    /// What was sent to be revoked, with the header `Authorization`.
    pub(crate) fn revoked(&self) -> Vec<(HashMap<String, String>, Option<String>)> {
        self.truth.lock().expect("not poisoned").revoked.clone()
    }

    /// What was sent so far.
    pub(crate) fn forms(&self) -> Vec<HashMap<String, String>> {
        self.truth.lock().expect("not poisoned").forms.clone()
    }
}

async fn token(State(truth): State<Arc<Mutex<Truth>>>, body: Bytes) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let (behaviour, takes, gate) = {
        let mut truth = truth.lock().expect("not poisoned");
        truth.forms.push(form.clone());
        (truth.behaviour.clone(), truth.takes, Arc::clone(&truth.gate))
    };
    drop(gate.read().await);
    tokio::time::sleep(takes).await;
    match behaviour {
        ProviderBehaviour::Respond(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        ProviderBehaviour::Overloaded => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "20")]).into_response()
        }
        ProviderBehaviour::Normal => {
            let mut truth = truth.lock().expect("not poisoned");
            if form.get("client_secret").map(String::as_str) != Some("s3cret-of-the-client") {
                return (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#).into_response();
            }
            if form["grant_type"] == "authorization_code" {
                return redeem(&mut truth, &form);
            }
            let sent = form.get("refresh_token").cloned().unwrap_or_default();
            if truth.poison.contains(&sent) {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            if let Some(again) = truth.grace.as_ref().and_then(|answers| answers.get(&sent)) {
                return again.clone().into_response();
            }
            let Some(generation) = form.get("refresh_token").and_then(|token| truth.alive.remove(token))
            else {
                // A spent one: whoever has the next one loses it too.
                truth.alive.clear();
                return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
            };
            truth.count += 1;
            let (count, life) = (truth.count, truth.life);
            truth.alive.insert(format!("refresh-{count}"), generation + 1);
            let answer = format!(
                r#"{{"access_token":"access-{count}","refresh_token":"refresh-{count}","token_type":"Bearer","expires_in":{life}}}"#
            );
            if let Some(answers) = &mut truth.grace {
                answers.insert(sent, answer.clone());
            }
            answer.into_response()
        }
    }
}

/// Redeems a code once.
fn redeem(truth: &mut Truth, form: &HashMap<String, String>) -> Response {
    let refused = (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#);
    let Some(granted) = truth.codes.remove(&form["code"]) else { return refused.into_response() };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if challenge != granted.challenge || form["redirect_uri"] != granted.redirect_uri {
        return refused.into_response();
    }
    truth.count += 1;
    let (count, life) = (truth.count, truth.life);
    truth.alive.insert(format!("refresh-{count}"), 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    let claims = json!({
        "iss": truth.issuer,
        "aud": form["client_id"],
        "sub": granted.subject,
        "email": format!("{}@example.com", granted.subject),
        "nonce": granted.nonce,
        "iat": now,
        "exp": now + life,
    });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let id_token = format!("{}.{}.c2lnbmF0dXJl", part(json!({"alg": "RS256"})), part(claims));
    let mut answer = json!({
        "access_token": format!("access-{count}"),
        "refresh_token": format!("refresh-{count}"),
        "token_type": "Bearer",
        "expires_in": life,
    });
    // Who asks without one knows no ID tokens.
    if !granted.nonce.is_empty() {
        answer["id_token"] = id_token.into();
    }
    truth.people.insert(format!("access-{count}"), granted.subject);
    answer.to_string().into_response()
}

/// Who signed in, as providers without ID tokens say it.
async fn me(State(truth): State<Arc<Mutex<Truth>>>, headers: HeaderMap) -> Response {
    match person(&truth, &headers) {
        Some(name) => json!({"id": name, "login": format!("{name}@example.com")}).to_string().into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// What is in a folder: nothing.
async fn items(State(truth): State<Arc<Mutex<Truth>>>, headers: HeaderMap) -> Response {
    match person(&truth, &headers) {
        Some(_) => json!({"total_count": 0, "entries": []}).to_string().into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn person(truth: &Mutex<Truth>, headers: &HeaderMap) -> Option<String> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    truth.lock().expect("not poisoned").people.get(token).cloned()
}

async fn revoke(State(truth): State<Arc<Mutex<Truth>>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let mut truth = truth.lock().expect("not poisoned");
    let authorization = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
    truth.revoked.push((form.clone(), authorization));
    match truth.revoking.clone() {
        ProviderBehaviour::Respond(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        ProviderBehaviour::Overloaded => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "20")]).into_response()
        }
        ProviderBehaviour::Normal => {
            truth.alive.remove(&form["token"]);
            StatusCode::OK.into_response()
        }
    }
}
