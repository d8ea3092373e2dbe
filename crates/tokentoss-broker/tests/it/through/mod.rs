//! Calls made for the caller: what passes, and one file for each attack.

mod addresses;
mod allow_rules;
mod audit;
mod call_limits;
mod client_disconnects;
mod framing;
mod head_requests;
mod headers;
mod huge_body;
mod methods;
mod other_users_account;
mod paths;
mod redirects;
mod refused_token;
mod request_forms;
pub(crate) mod service;
mod slow_body;
mod smuggling;
mod truncated_bodies;
