//! The core's decisions, one call each, as JSON: `{"accepted": …}` with what was read, or `{"refused": code}`.
//!
//! Only tests use it: the differential test compiles it to WebAssembly and compares it with another client.

use serde_json::{Value, json};
use tokentoss_core::authorization_response::{self, Refusal};
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_core::id_token::check_claims;
use tokentoss_core::token_endpoint::TokenResponse;
use tokentoss_core::{Error, Secret, Ticket, Timestamp};
use wasm_bindgen::prelude::wasm_bindgen;

/// One sign-in's expectations.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Judge {
    ticket: Ticket,
    state: Secret,
    nonce: String,
}

#[wasm_bindgen]
impl Judge {
    /// Takes the ticket's text, the state and the nonce.
    ///
    /// # Errors
    /// The sentence of what is wrong with the ticket.
    #[wasm_bindgen(constructor)]
    pub fn new(ticket: &str, state: String, nonce: String) -> Result<Self, String> {
        let ticket =
            Ticket::from_json(ticket, "https://notebook.example").map_err(|error| error.message())?;
        Ok(Self { ticket, state: Secret::new(state), nonce })
    }

    /// Decides on the query of a callback.
    #[must_use]
    pub fn callback(&self, query: &str) -> String {
        let verified = authorization_response::verify(query, &self.state, self.ticket.provider());
        verdict(verified.map(|code| json!({"code": code.expose()})).map_err(|refusal| match refusal {
            Refusal::Dropped(error) | Refusal::Ended(error) => error,
        }))
    }

    /// Decides on the token endpoint's answer and the claims of its ID token; `now` is in Unix seconds.
    #[must_use]
    pub fn answer(&self, status: u16, body: String, now: u32) -> String {
        let answer = EndpointAnswer { status, body: Secret::new(body) };
        verdict(self.read(&answer, Timestamp::from_millis(u64::from(now) * 1000)))
    }
}

impl Judge {
    fn read(&self, answer: &EndpointAnswer, now: Timestamp) -> Result<Value, Error> {
        let endpoint = self.ticket.provider().token_endpoint();
        let tokens = TokenResponse::read(answer, endpoint, self.ticket.client().scopes())?;
        let tokens = check_claims(tokens, self.ticket.client(), Some(&self.nonce), now)?;
        let tokens = tokens.tokens();
        Ok(json!({
            "access_token": tokens.access_token.expose(),
            "refresh_token": tokens.refresh_token.as_ref().map(Secret::expose),
            "id_token": tokens.id_token.as_ref().map(|token| token.expose()),
            "expires_in": tokens.expires_in,
            "scopes": tokens.scopes,
        }))
    }
}

fn verdict(decided: Result<Value, Error>) -> String {
    let verdict = match decided {
        Ok(read) => json!({"accepted": read}),
        Err(error) => json!({"refused": error.code().as_str()}),
    };
    serde_json::to_string(&verdict).unwrap_or_default()
}
