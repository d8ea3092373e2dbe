//! The simulated kernel: its ticket, its loopback listener, its end of the hand-off.

use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use tokentoss_core::base64url;
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};

use crate::provider::{CLIENT_ID, ISSUER};

/// The origin of the simulated loopback listener.
pub const LISTENER: &str = "http://127.0.0.1:4711";

/// The kernel's side of one ticket.
pub struct Kernel {
    /// The client secret it hands out, sealed.
    pub client_secret: Option<String>,
    /// Whether its main thread is busy: traits wait, the listener does not.
    pub busy: bool,
    /// Whether a listener answers on the port.
    pub listening: bool,
    /// The tokens it took, one at most.
    pub tokens: Vec<Value>,
    /// How many envelopes were refused.
    pub refused: u32,
    id: String,
    keys: KeyPair,
    ticket: Value,
    registered: Option<PublicKey>,
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
            },
            "hosted_domain": null,
            "login_hint": null,
        });
        Self {
            client_secret: None,
            busy: false,
            listening: true,
            tokens: Vec::new(),
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
        if start["ticket"] != self.id.as_str() || start["proof"] != self.proof() {
            return json!({"type": "refused", "code": "proof_mismatch"});
        }
        let key = PublicKey::from_base64url(start["key"].as_str().expect("a key")).expect("a public key");
        let secret = self.client_secret.as_ref().map(|secret| {
            key.seal(Purpose::ClientSecret, self.binding(), secret.as_bytes(), rng).expect("sealed")
        });
        self.registered = Some(key);
        json!({"type": "registered", "secret": secret})
    }

    /// A callback's query, sealed to the page that registered.
    pub fn relay(&self, query: &str, rng: &mut ChaCha20Rng) -> String {
        let key = self.registered.as_ref().expect("a page has registered");
        key.seal(Purpose::Callback, self.binding(), query.as_bytes(), rng).expect("sealed")
    }

    /// Takes an envelope, once.
    pub fn take(&mut self, envelope: &str) -> bool {
        if !self.tokens.is_empty() {
            self.refused += 1;
            return false;
        }
        let Some(plaintext) = self.keys.open(Purpose::Tokens, self.binding(), envelope) else {
            self.refused += 1;
            return false;
        };
        self.tokens.push(serde_json::from_slice(&plaintext).expect("JSON in the envelope"));
        true
    }

    fn binding(&self) -> Binding<'_> {
        Binding { ticket_id: &self.id, client_id: CLIENT_ID, issuer: ISSUER }
    }
}
