//! The simulated kernel: its ticket, its loopback listener, its end of the hand-off.

use rand_chacha::ChaCha20Rng;
use serde_json::{Map, Value, json};
use tokentoss_core::base64url;
use tokentoss_core::deposit::Deposit;
use tokentoss_core::flow::{Input, KernelRefusal, ShownCode};
use tokentoss_core::registration::AnswerKey;
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
    /// The page introduces itself.
    Introduce(Value),
    /// The page makes its attempt known.
    Register(Value),
    /// The kernel is to ask for a user code.
    AskForCode,
    /// The kernel is to drop its user code.
    DropCode,
}

/// By which way an envelope comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The comm, to which only the notebook can write.
    Comm,
    /// The loopback listener, to which anybody can.
    Listener,
}

/// What the kernel makes of an envelope.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It held tokens, which were kept.
    Tokens,
    /// It held a code: the form with which the kernel exchanges it.
    Code(String),
    /// It was refused.
    Nothing,
    /// It came by the listener without the proof of the registration; nothing was used up.
    ProofMismatch,
}

/// What the listener answers to a start page.
#[derive(Debug)]
pub enum Registration {
    /// The attempt is registered: where to go on, and the answer for the page.
    Registered {
        /// The authorization request.
        url: String,
        /// The answer, which only this kernel can make.
        answer: String,
    },
    /// The user must be asked first; the token counts for one yes.
    Confirm(String),
    /// The attempt is refused, with this code.
    Refused(&'static str),
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
    /// The origin of its own Jupyter server, as far as it knows that.
    pub own_origin: Option<String>,
    /// Whether it can tell that who connects to the listener is its own user.
    pub trusts_peers: bool,
    /// Whether the page has reported a user code of its own.
    pub page_shows_code: bool,
    /// The broker that codes are deposited at, if there is one: its name for the sign-in, and its key.
    pub broker: Option<(String, KeyPair)>,
    id: String,
    keys: KeyPair,
    ticket: Value,
    introductions: Vec<Introduction>,
    confirmations: Vec<(String, Value, String)>,
    registered: Option<Registered>,
}

/// A page that introduced itself.
struct Introduction {
    key: String,
    origin: String,
    proof: String,
}

/// A page that the kernel knows.
struct Registered {
    key: PublicKey,
    state: String,
    url: String,
    proof: String,
    /// Whether the listener knows the page's origin, so that its callback page may speak to it.
    by_start_page: bool,
}

impl Kernel {
    /// A kernel with a fresh ticket.
    pub fn new(rng: &mut ChaCha20Rng) -> Self {
        let (id, nonce) = (random(rng, 16), random(rng, 32));
        let keys = KeyPair::generate(rng).expect("the generator works");
        let ticket = json!({
            "version": 2,
            "id": id,
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
            own_origin: Some(PAGE.to_owned()),
            trusts_peers: true,
            page_shows_code: false,
            broker: None,
            id,
            keys,
            ticket,
            introductions: Vec::new(),
            confirmations: Vec::new(),
            registered: None,
        }
    }

    /// The ticket as it stands in the trait; tests may change it before it is used.
    pub fn ticket(&mut self) -> &mut Value {
        &mut self.ticket
    }

    /// Gives the ticket another identifier: that of a broker's sign-in.
    pub fn rename(&mut self, id: &str) {
        self.id = id.to_owned();
        self.ticket["id"] = id.into();
    }

    /// The ticket's identifier.
    pub fn ticket_id(&self) -> &str {
        &self.id
    }

    /// The message `introduce`: the answer, sealed to the page's key.
    pub fn introduce(&mut self, message: &Value, rng: &mut ChaCha20Rng) -> Option<(String, String)> {
        let text = |name: &str| message[name].as_str().expect("a text").to_owned();
        if text("ticket") != self.id {
            return None;
        }
        let key = text("key");
        let known = self.introductions.iter().find(|introduction| introduction.key == key);
        let proof = known.map_or_else(|| random(rng, 32), |introduction| introduction.proof.clone());
        if known.is_none() {
            let origin = text("origin");
            self.introductions.push(Introduction { key: key.clone(), origin, proof: proof.clone() });
            self.introductions.truncate(16);
        }
        let sealed = self.seal(&key, Purpose::Introduced, &json!({"proof": proof}), rng);
        Some((key, sealed))
    }

    /// `POST /tokentoss/register`: the answer of the start page's own server to a page of this origin.
    pub fn register(
        &mut self,
        start: &Value,
        origin: &str,
        confirmed: Option<&str>,
        rng: &mut ChaCha20Rng,
    ) -> Registration {
        let sealed = start["sealed"].as_str().unwrap_or_default();
        let opened = self.keys.open(Purpose::Start, self.binding(), sealed);
        let Some(opened) = opened.filter(|_| start["ticket"] == self.id.as_str()) else {
            return Registration::Refused("registration_refused");
        };
        let inside: Value = serde_json::from_slice(&opened).expect("JSON");
        let names: Vec<&String> = inside.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["answer_key", "key", "proof", "url"]);
        if inside["key"] != start["key"] {
            return Registration::Refused("registration_refused");
        }
        let introduced = |known: &Introduction| inside["proof"] == *known.proof && known.origin == origin;
        let own = self.trusts_peers && self.own_origin.as_deref() == Some(origin);
        if !self.introductions.iter().any(introduced) && !own && !self.is_confirmed(start, origin, confirmed)
        {
            let token = random(rng, 32);
            self.confirmations.push((token.clone(), start["key"].clone(), origin.to_owned()));
            return Registration::Confirm(token);
        }
        let text = |name: &str| inside[name].as_str().expect("a text");
        let (url, key) = (text("url").to_owned(), text("key").to_owned());
        let answer_key = AnswerKey::from_base64url(text("answer_key")).expect("a key");
        let plaintext = self.note_attempt(&key, &url, true, rng).to_string();
        let key = PublicKey::from_base64url(&key).expect("a public key");
        let answer = answer_key.seal(&self.id, &key, plaintext.as_bytes(), rng).expect("sealed");
        Registration::Registered { url, answer }
    }

    /// Whether the user said yes to this attempt of this page, which counts once.
    fn is_confirmed(&mut self, start: &Value, origin: &str, token: Option<&str>) -> bool {
        let at = self.confirmations.iter().position(|(known, key, page)| {
            Some(known.as_str()) == token && *key == start["key"] && page == origin
        });
        at.map(|at| self.confirmations.remove(at)).is_some()
    }

    /// The message `register` of the page itself, for which the comm vouches: the answer, sealed to the attempt's key.
    pub fn register_by_message(&mut self, message: &Value, rng: &mut ChaCha20Rng) -> (String, String) {
        let names: Vec<&String> = message.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["key", "sealed", "ticket"], "no proof");
        let sealed = message["sealed"].as_str().expect("a sealed URL");
        let url = self.keys.open(Purpose::Registration, self.binding(), sealed).expect("opens");
        let key = message["key"].as_str().expect("a key").to_owned();
        let plaintext = self.note_attempt(&key, core::str::from_utf8(&url).expect("text"), false, rng);
        let sealed = self.seal(&key, Purpose::Registered, &plaintext, rng);
        (key, sealed)
    }

    fn note_attempt(&mut self, key: &str, url: &str, by_start_page: bool, rng: &mut ChaCha20Rng) -> Value {
        let query = url.split_once('?').expect("a URL with a query").1;
        let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
        let state = state.expect("a state").1.to_string();
        let key = PublicKey::from_base64url(key).expect("a public key");
        let proof = random(rng, 32);
        let plaintext = json!({"proof": proof, "client_secret": self.client_secret});
        self.registered = Some(Registered { key, state, url: url.to_owned(), proof, by_start_page });
        plaintext
    }

    fn seal(&self, key: &str, purpose: Purpose, plaintext: &Value, rng: &mut ChaCha20Rng) -> String {
        let key = PublicKey::from_base64url(key).expect("a public key");
        key.seal(purpose, self.binding(), plaintext.to_string().as_bytes(), rng).expect("sealed")
    }

    /// Every secret that the kernel has handed out and that no log may show.
    pub fn proofs(&self) -> Vec<String> {
        let introduced = self.introductions.iter().map(|introduction| introduction.proof.clone());
        introduced.chain(self.registered.iter().map(|page| page.proof.clone())).collect()
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
    pub fn take(&mut self, envelope: &str, channel: Channel) -> Taken {
        let open = |purpose| self.keys.open(purpose, self.binding(), envelope);
        let read = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON in the envelope");
        if self.tokens.is_empty() && self.codes.is_empty() {
            if let Some(tokens) = open(Purpose::Tokens).map(|text| read(&text)) {
                if !self.is_vouched_for(&tokens, channel) {
                    return Taken::ProofMismatch;
                }
                self.tokens.push(tokens);
                return Taken::Tokens;
            }
            let awaited = self.page_shows_code && channel == Channel::Comm;
            if let Some(tokens) = open(Purpose::DeviceTokens).filter(|_| awaited) {
                self.tokens.push(read(&tokens));
                return Taken::Tokens;
            }
            if let Some(code) = open(Purpose::Code).map(|text| read(&text)) {
                if !self.is_vouched_for(&code, channel) {
                    return Taken::ProofMismatch;
                }
                let form = self.token_request(&code);
                self.codes.push(code);
                return Taken::Code(form);
            }
        }
        self.refused += 1;
        Taken::Nothing
    }

    fn is_vouched_for(&self, envelope: &Value, channel: Channel) -> bool {
        let proof = self.registered.as_ref().map(|page| page.proof.as_str());
        channel == Channel::Comm || (proof.is_some() && envelope["proof"].as_str() == proof)
    }

    /// The token request of the kernel, or of the broker for a code that only that can read.
    fn token_request(&self, code: &Value) -> String {
        let Some((authorization, key)) = &self.broker else { return self.request_for(code) };
        let sealed = code["code"].as_str().expect("a deposit");
        let deposit = Deposit::open(key, authorization, CLIENT_ID, ISSUER, sealed).expect("opens");
        assert_eq!(deposit.salt, code["salt"].as_str().expect("a salt"));
        self.request_for(&json!({
            "version": 2,
            "ticket": self.id,
            "code": deposit.code.expose(),
            "code_verifier": deposit.verifier.expose(),
            "redirect_uri": deposit.redirect_uri.as_str(),
        }))
    }

    fn request_for(&self, code: &Value) -> String {
        let member = |name: &str| code[name].as_str().expect("a text").to_owned();
        assert_eq!((code["version"].as_u64(), member("ticket")), (Some(2), self.id.clone()));
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

fn random(rng: &mut ChaCha20Rng, length: usize) -> String {
    let mut bytes = vec![0; length];
    rand_core::Rng::fill_bytes(rng, &mut bytes);
    base64url::encode(&bytes)
}
