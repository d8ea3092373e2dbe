//! The simulated kernel: its ticket, its loopback listener, its end of the hand-off.

use rand_chacha::ChaCha20Rng;
use serde_json::{Map, Value, json};
use tokentoss_core::base64url;
use tokentoss_core::flow::{Input, KernelRefusal, ShownCode};
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};

use crate::endpoint::CLIENT_ID;
use crate::provider::ISSUER;

/// The origin of the simulated loopback listener.
pub const LISTENER: &str = "http://127.0.0.1:4711";
/// The origin of the notebook page.
pub const PAGE: &str = "https://hub.example";

/// A message that waits for the kernel's main thread.
#[derive(Debug)]
pub enum ToKernel {
    /// The page makes its attempt known.
    Register(Value),
    /// The kernel is to ask for a user code.
    AskForCode,
    /// The kernel is to drop its user code.
    DropCode,
}

/// What the kernel makes of an envelope.
pub enum Taken {
    /// It held tokens, which were kept.
    Tokens,
    /// It held a code: the form with which the kernel exchanges it.
    Code(String),
    /// It was refused.
    Nothing,
}

/// The kernel's side of one ticket.
pub struct Kernel {
    /// The client secret it hands out, sealed.
    pub client_secret: Option<String>,
    /// Whether its main thread is busy: traits wait, the listener does not.
    pub busy: bool,
    /// Whether a listener answers on the port.
    pub listening: bool,
    /// Whether the browser can reach it there.
    pub reachable: bool,
    /// The tokens it took, one at most.
    pub tokens: Vec<Value>,
    /// The codes it took, one at most.
    pub codes: Vec<Value>,
    /// How often the page had it ask for a code.
    pub asked_for_code: u32,
    /// Whether it gets a user code when it is asked to.
    pub gets_code: bool,
    /// Whether it shows a user code.
    pub shows_code: bool,
    /// How many envelopes were refused.
    pub refused: u32,
    id: String,
    keys: KeyPair,
    ticket: Value,
    registered: Option<Registered>,
}

/// A page that the kernel knows.
struct Registered {
    key: PublicKey,
    state: String,
    url: String,
    /// Whether the listener knows the page's origin, so that its callback page may speak to it.
    by_start_page: bool,
}

impl Kernel {
    /// A kernel with a fresh ticket.
    pub fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut random = |length: usize| {
            let mut bytes = vec![0; length];
            rand_core::Rng::fill_bytes(rng, &mut bytes);
            base64url::encode(&bytes)
        };
        let (id, proof, nonce) = (random(16), random(32), random(32));
        let keys = KeyPair::generate(rng).expect("the generator works");
        let ticket = json!({
            "version": 1,
            "id": id,
            "proof": proof,
            "nonce": nonce,
            "public_key": keys.public().to_base64url(),
            "client_id": CLIENT_ID,
            "client_secret_sealed": false,
            "scopes": ["openid", "email"],
            "redirect_uri": format!("{LISTENER}/callback"),
            "provider": {
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/authorize"),
                "token_endpoint": format!("{ISSUER}/token"),
                "iss_parameter_supported": true,
                "authorization_params": {"access_type": "offline"},
                "id_token_signing_algs": ["RS256"],
                "token_endpoint_cors": true,
                "device_authorization_endpoint": format!("{ISSUER}/device_authorization"),
            },
            "hosted_domain": null,
            "login_hint": null,
        });
        Self {
            client_secret: None,
            busy: false,
            listening: true,
            reachable: true,
            tokens: Vec::new(),
            codes: Vec::new(),
            asked_for_code: 0,
            gets_code: true,
            shows_code: false,
            refused: 0,
            id,
            keys,
            ticket,
            registered: None,
        }
    }

    /// The ticket as it stands in the trait; tests may change it before it is used.
    pub fn ticket(&mut self) -> &mut Value {
        &mut self.ticket
    }

    /// The ticket's identifier.
    pub fn ticket_id(&self) -> &str {
        &self.id
    }

    /// What the ticket says and only the notebook page may know.
    pub fn proof(&self) -> &str {
        self.ticket["proof"].as_str().expect("a proof")
    }

    /// `POST /tokentoss/register`: the answer of the start page's own server.
    pub fn register(&mut self, start: &Value, rng: &mut ChaCha20Rng) -> Value {
        let url = start["url"].as_str().expect("a URL").to_owned();
        self.note_page(start, &url, true, rng)
    }

    /// The message `register` of the page itself.
    pub fn register_by_message(&mut self, message: &Value, rng: &mut ChaCha20Rng) -> Value {
        let sealed = message["sealed"].as_str().expect("a sealed URL");
        let url = self.keys.open(Purpose::PageIntroduction, self.binding(), sealed).expect("opens");
        self.note_page(message, core::str::from_utf8(&url).expect("text"), false, rng)
    }

    fn note_page(&mut self, page: &Value, url: &str, by_start_page: bool, rng: &mut ChaCha20Rng) -> Value {
        if page["ticket"] != self.id.as_str() || page["proof"] != self.proof() {
            return json!({"type": "refused", "code": "proof_mismatch"});
        }
        let query = url.split_once('?').expect("a URL with a query").1;
        let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
        let state = state.expect("a state").1.to_string();
        let key = PublicKey::from_base64url(page["key"].as_str().expect("a key")).expect("a public key");
        let secret = self.client_secret.as_ref().map(|secret| {
            key.seal(Purpose::ClientSecret, self.binding(), secret.as_bytes(), rng).expect("sealed")
        });
        self.registered = Some(Registered { key, state, url: url.to_owned(), by_start_page });
        json!({"type": "registered", "secret": secret})
    }

    /// `POST /tokentoss/where`: where the attempt that a start page's fragment names goes on, once the kernel knows.
    pub fn address_for(&self, fragment: &str) -> Option<String> {
        let page = self.registered.as_ref()?;
        let latest = format!("{}.{}", self.id, page.key.to_base64url());
        (fragment == latest).then(|| page.url.clone())
    }

    /// Whether the listener serves its callback page for this query.
    pub fn expects(&self, query: &str) -> bool {
        let mut states = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state");
        let known = |state: &str| self.registered.as_ref().is_some_and(|page| page.state == state);
        states.next().is_some_and(|(_, state)| known(&state))
    }

    /// Whether that page may speak to the notebook page.
    pub fn knows_origin(&self) -> bool {
        self.registered.as_ref().is_some_and(|page| page.by_start_page)
    }

    /// A callback's query, sealed to the page that registered.
    pub fn relay(&self, query: &str, rng: &mut ChaCha20Rng) -> String {
        let key = &self.registered.as_ref().expect("a page has registered").key;
        key.seal(Purpose::Callback, self.binding(), query.as_bytes(), rng).expect("sealed")
    }

    /// Asks the provider for a user code, and tells the page what came of it.
    pub fn ask_for_code(&mut self) -> Input {
        self.shows_code = self.gets_code;
        if !self.gets_code {
            let refusal =
                KernelRefusal { code: "unauthorized_client".into(), message: "No codes here.".into() };
            return Input::KernelCodeFailed { refusal };
        }
        let code = ShownCode {
            user_code: format!("KERNEL-{}", self.asked_for_code),
            verification_uri: format!("{ISSUER}/device"),
            page: format!("{ISSUER}/device"),
            expires_at: 1_800_000_600,
        };
        Input::KernelCodeShown { code }
    }

    /// Takes an envelope, once.
    pub fn take(&mut self, envelope: &str) -> Taken {
        let open = |purpose| self.keys.open(purpose, self.binding(), envelope);
        let read = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON in the envelope");
        if self.tokens.is_empty() && self.codes.is_empty() {
            if let Some(tokens) = open(Purpose::Tokens) {
                self.tokens.push(read(&tokens));
                return Taken::Tokens;
            }
            let offered = self.ticket["provider"]["device_authorization_endpoint"].is_string();
            if let Some(tokens) = open(Purpose::DeviceTokens).filter(|_| offered) {
                self.tokens.push(read(&tokens));
                return Taken::Tokens;
            }
            if let Some(code) = open(Purpose::Code) {
                let code = read(&code);
                let form = self.token_request(&code);
                self.codes.push(code);
                return Taken::Code(form);
            }
        }
        self.refused += 1;
        Taken::Nothing
    }

    /// The kernel's own token request.
    fn token_request(&self, code: &Value) -> String {
        let member = |name: &str| code[name].as_str().expect("a text").to_owned();
        assert_eq!((code["version"].as_u64(), member("ticket")), (Some(1), self.id.clone()));
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code");
        form.append_pair("client_id", CLIENT_ID);
        for name in ["code", "code_verifier", "redirect_uri"] {
            form.append_pair(name, &member(name));
        }
        if let Some(secret) = &self.client_secret {
            form.append_pair("client_secret", secret);
        }
        form.finish()
    }

    /// Keeps the tokens that the provider gave for a code.
    pub fn keep(&mut self, body: &str) {
        let tokens: Map<String, Value> = serde_json::from_str(body).expect("JSON of the provider");
        self.tokens.push(Value::Object(tokens));
    }

    fn binding(&self) -> Binding<'_> {
        Binding { ticket_id: &self.id, client_id: CLIENT_ID, issuer: ISSUER }
    }
}
