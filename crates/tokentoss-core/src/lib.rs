//! The sign-in protocol of tokentoss, without I/O.
//!
//! Nothing here touches a network, a clock, a random number generator or a page: time comes in as
//! a [`Timestamp`], randomness as a generator that the caller lends, and the world through
//! [`flow::Input`] and [`flow::Output`]. The same code runs in the browser, in the simulated
//! world of the tests and in the broker.
//!
//! - [`flow`] is the machine that turns a click into sealed tokens.
//! - [`ticket`], [`authorization`], [`authorization_response`], [`token_endpoint`] and [`id_token`] are its steps, in
//!   their order; each takes what only the step before can make.
//! - [`device_authorization`] begins the second flow, in which a user code is entered on any device.
//! - [`form_request`] holds what both flows send and get back.
//! - [`paste`] reads an address that the user copies where no page can send the answer.
//! - [`registration`] tells the kernel that answers a registration from anybody else.
//! - [`sealing`] seals to a recipient's key and knows nothing of who the recipient is.
//! - [`configuration`] carries a client to the kernel, before there is anything to sign in with.
//! - [`error`] holds the codes that all languages share.

#![no_std]

extern crate alloc;

pub mod authorization;
pub mod authorization_response;
pub mod base64url;
pub mod client;
pub mod client_authentication;
pub mod configuration;
pub mod deposit;
pub mod device_authorization;
pub mod endpoint;
mod entropy;
mod envelope;
pub mod error;
pub mod flow;
pub mod form_request;
pub mod id_token;
mod json;
pub mod message;
pub mod paste;
pub mod pkce;
pub mod provider;
pub mod registration;
pub mod sealing;
mod secret;
mod text;
pub mod ticket;
mod timestamp;
pub mod token_endpoint;

pub use entropy::Entropy;
pub use error::{Error, ErrorCode};
pub use flow::{Flow, Input, Output};
pub use secret::Secret;
pub use ticket::Ticket;
pub use timestamp::Timestamp;
