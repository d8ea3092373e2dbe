//! Sealing in the browser for the widget that sets up a client; a module of its own, so that neither widget carries the
//! other's code.
//!
//! What comes in is wiped from the module's memory before the functions return.

// Empty elsewhere, so that the whole workspace can be compiled and tested natively.
#![cfg(target_arch = "wasm32")]

use getrandom::SysRng;
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use tokentoss_core::configuration::Client;
use tokentoss_core::sealing::PublicKey;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// Seals a client that was typed in; `undefined` when the key cannot be used or the browser gives no random numbers.
#[wasm_bindgen(js_name = sealCredentials)]
#[must_use]
pub fn seal_credentials(
    #[wasm_bindgen(js_name = ticketId)] ticket_id: &str,
    #[wasm_bindgen(js_name = publicKey)] public_key: &str,
    #[wasm_bindgen(js_name = clientId)] client_id: &str,
    #[wasm_bindgen(js_name = clientSecret)] client_secret: String,
    #[wasm_bindgen(js_name = projectId)] project_id: &str,
) -> Option<String> {
    let client_secret = Zeroizing::new(client_secret);
    seal(ticket_id, public_key, Client::Credentials { client_id, client_secret: &client_secret, project_id })
}

/// Seals a client_secrets.json; `undefined` as for credentials.
#[wasm_bindgen(js_name = sealFile)]
#[must_use]
pub fn seal_file(
    #[wasm_bindgen(js_name = ticketId)] ticket_id: &str,
    #[wasm_bindgen(js_name = publicKey)] public_key: &str,
    name: &str,
    content: Vec<u8>,
) -> Option<String> {
    let content = Zeroizing::new(content);
    seal(ticket_id, public_key, Client::File { name, content: &content })
}

fn seal(ticket_id: &str, public_key: &str, client: Client<'_>) -> Option<String> {
    let key = PublicKey::from_base64url(public_key)?;
    client.seal(ticket_id, &key, &mut SysRng).ok()
}
