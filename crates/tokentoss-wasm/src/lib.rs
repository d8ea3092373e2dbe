//! The sign-in's effects in a browser.
//!
//! [`SignIn`] is the one class that the page sees. Behind it a [`driver`] feeds what happens to the `Flow` of
//! `tokentoss-core` and performs what the flow asks for, one file per effect; nothing here decides anything about the
//! protocol. Listeners, timers, windows and the token request are handles that end when they are dropped.

mod driver;
mod event;
mod messages;
mod popup;
mod sign_in;
mod ticket;
mod timer;
mod token_endpoint;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

pub use event::{CodeToEnter, FlowEvent, Phase, Way};
pub use sign_in::SignIn;

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
