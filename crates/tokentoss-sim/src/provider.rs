//! The simulated provider: honest unless told otherwise.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokentoss_core::Timestamp;

use crate::device::{Device, GRANT_TYPE};
use crate::endpoint::{Answer, CLIENT_ID};

/// The simulated provider's issuer.
pub const ISSUER: &str = "https://as.example";

/// What the person in the popup does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Signs in and accepts.
    Accepts,
    /// Signs in and declines.
    Declines,
    /// Closes the popup.
    Closes,
    /// Does nothing.
    Waits,
}

/// The provider's state and its faults.
pub struct Provider {
    /// How the token endpoint answers.
    pub answer: Answer,
    /// Whether authorization responses name their issuer.
    pub sends_iss: bool,
    /// Whether it issues ID tokens.
    pub openid_connect: bool,
    /// What the probe of the page finds: whether answers can be read; `None` for no answer at all.
    pub readable: Option<bool>,
    /// How often the page probed.
    pub probes: u32,
    /// Whether the token endpoint wants this client secret.
    pub client_secret: Option<String>,
    /// Changes the ID token's claims before it is made.
    pub tamper_claims: fn(&mut Map<String, Value>),
    /// Changes the ID token's header before it is made.
    pub tamper_header: fn(&mut Map<String, Value>),
    /// Changes the token response before it is sent.
    pub tamper_response: fn(&mut Map<String, Value>),
    /// Every form the token endpoint received.
    pub token_requests: Vec<BTreeMap<String, String>>,
    /// The header `Authorization` of each of them.
    pub authorizations: Vec<Option<String>>,
    /// Every authorization request that arrived.
    pub authorization_requests: Vec<String>,
    /// Its grant for codes that are entered on any device.
    pub device: Device,
    issued: BTreeMap<String, Grant>,
    spent: BTreeSet<String>,
    serial: u32,
}

#[derive(Clone)]
struct Grant {
    challenge: String,
    redirect_uri: String,
    /// None where the grant has none.
    nonce: Option<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            answer: Answer::Honest,
            sends_iss: true,
            openid_connect: true,
            readable: Some(true),
            probes: 0,
            client_secret: None,
            tamper_claims: |_| {},
            tamper_header: |_| {},
            tamper_response: |_| {},
            token_requests: Vec::new(),
            authorizations: Vec::new(),
            authorization_requests: Vec::new(),
            device: Device::default(),
            issued: BTreeMap::new(),
            spent: BTreeSet::new(),
            serial: 0,
        }
    }
}

impl Provider {
    /// The authorization endpoint: the query of the redirect it answers with.
    ///
    /// # Panics
    /// When the request is not one the RFCs allow: the product is at fault.
    pub fn authorize(&mut self, url: &str, user: User) -> Option<String> {
        let (endpoint, query) = url.split_once('?').expect("a query");
        assert_eq!(endpoint, "https://as.example/authorize");
        self.authorization_requests.push(url.to_owned());
        let form = parse_once(query);
        assert_eq!(form["response_type"], "code", "the response type is code (C1)");
        assert_eq!(form["code_challenge_method"], "S256", "PKCE uses S256 (C2)");
        assert_eq!(form["client_id"], CLIENT_ID);
        assert_eq!(form.contains_key("nonce"), self.openid_connect, "every OpenID request has a nonce (C7)");
        assert!(
            !self.openid_connect || form["scope"].split(' ').any(|scope| scope == "openid"),
            "the scope has openid (C8)"
        );
        let mut answer = form_urlencoded::Serializer::new(String::new());
        match user {
            User::Accepts => {
                self.serial += 1;
                let code = format!("code-{}", self.serial);
                answer.append_pair("code", &code);
                self.issued.insert(
                    code,
                    Grant {
                        challenge: form["code_challenge"].clone(),
                        redirect_uri: form["redirect_uri"].clone(),
                        nonce: form.get("nonce").cloned(),
                    },
                );
            }
            User::Declines => {
                answer.append_pair("error", "access_denied");
                answer.append_pair("error_description", "<img src=x onerror=alert(1)>");
            }
            User::Closes | User::Waits => return None,
        }
        answer.append_pair("state", &form["state"]);
        answer.append_pair("session_state", "ignored");
        if self.sends_iss {
            answer.append_pair("iss", ISSUER);
        }
        Some(answer.finish())
    }

    /// The token endpoint, asked without a code: whether the page may read the answer.
    ///
    /// # Panics
    /// When the request holds anything that it should not.
    pub fn probe(&mut self, body: &str) -> Option<bool> {
        let form = parse_once(body);
        let names: Vec<&str> = form.keys().map(String::as_str).collect();
        assert_eq!(names, ["client_id", "grant_type"]);
        self.probes += 1;
        self.readable
    }

    /// The device authorization endpoint: status and body; `None` when nothing comes back.
    pub fn authorize_device(&mut self, body: &str) -> Option<(u16, String)> {
        self.device.authorize(parse_once(body))
    }

    /// The token endpoint: status and body; `None` when nothing comes back.
    pub fn token(
        &mut self,
        authorization: Option<&str>,
        body: &str,
        now: Timestamp,
    ) -> Option<(u16, String)> {
        let mut form = parse_once(body);
        self.token_requests.push(form.clone());
        self.authorizations.push(authorization.map(String::from));
        form.extend(authorization.map(basic).into_iter().flatten());
        match self.answer.clone() {
            Answer::Honest => Some(match self.grant(&form) {
                Ok(grant) => (200, self.tokens(&grant, now)),
                Err(code) => (400, json!({ "error": code }).to_string()),
            }),
            Answer::Raw(status, body) => Some((status, body)),
            Answer::Unreachable | Answer::Silent => None,
        }
    }

    fn grant(&mut self, form: &BTreeMap<String, String>) -> Result<Grant, &'static str> {
        let get = |name: &str| form.get(name).cloned().unwrap_or_default();
        if get("grant_type") == GRANT_TYPE {
            self.device.redeem(form)?;
            self.serial += 1;
            return Ok(Grant { challenge: String::new(), redirect_uri: String::new(), nonce: None });
        }
        if get("grant_type") != "authorization_code" {
            return Err("unsupported_grant_type");
        }
        if get("client_id") != CLIENT_ID || form.get("client_secret").cloned() != self.client_secret {
            return Err("invalid_client");
        }
        let code = get("code");
        if !self.spent.insert(code.clone()) {
            return Err("invalid_grant");
        }
        let grant = self.issued.get(&code).ok_or("invalid_grant")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
        if challenge != grant.challenge || get("redirect_uri") != grant.redirect_uri {
            return Err("invalid_grant");
        }
        Ok(grant.clone())
    }

    fn tokens(&self, grant: &Grant, now: Timestamp) -> String {
        let access_token = format!("access-{}", self.serial);
        let hash = Sha256::digest(&access_token);
        let mut header = object(json!({"alg": "RS256", "kid": "1"}));
        let mut claims = object(json!({
            "iss": ISSUER,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "email": "ada@example.com",
            "hd": "example.com",
            "iat": now.as_secs(),
            "exp": now.as_secs() + 3600,
            "at_hash": URL_SAFE_NO_PAD.encode(&hash[..16]),
        }));
        if let Some(nonce) = &grant.nonce {
            claims.insert("nonce".into(), json!(nonce));
        }
        (self.tamper_header)(&mut header);
        (self.tamper_claims)(&mut claims);
        let part = |value: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(value).to_string());
        let id_token = format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"));
        let mut response = object(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": format!("refresh-{}", self.serial),
            "id_token": id_token,
            "scope": "openid email",
        }));
        (self.tamper_response)(&mut response);
        Value::Object(response).to_string()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Reads a form in which nothing may stand twice.
fn parse_once(form: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        assert!(
            parameters.insert(name.to_string(), value.to_string()).is_none(),
            "the parameter {name} occurs twice (C11)"
        );
    }
    parameters
}

/// What HTTP Basic authentication says, as if it stood in the form (RFC 6749 section 2.3.1).
fn basic(header: &str) -> [(String, String); 2] {
    let pair = STANDARD.decode(header.strip_prefix("Basic ").expect("Basic")).expect("base64");
    let pair = String::from_utf8(pair).expect("text");
    let (client_id, secret) = pair.split_once(':').expect("a colon");
    let decoded = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).collect::<String>()
    };
    [("client_id".into(), decoded(client_id)), ("client_secret".into(), decoded(secret))]
}
