//! Calls made for the caller: what passes, and one file for each attack.

mod addresses;
mod allowed;
mod audit;
mod call_limits;
mod cut_off;
mod framing;
mod heads;
mod huge_body;
mod leaving;
mod methods;
mod others;
mod paths;
mod redirects;
mod refused_token;
mod request_forms;
pub(crate) mod service;
mod slow_body;
mod smuggling;
