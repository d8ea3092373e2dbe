//! The broker keeps refresh tokens and client secrets, and gives callers short-lived access tokens.
//!
//! The modules, in the order in which a request passes them:
//!
//! 1. [`routes`]: one file for each route. It parses the request and writes the response.
//! 2. [`callers`]: authentication of callers, and the tenant and user that they act for.
//! 3. [`refresh`]: one task for each grant refreshes, and all other callers wait for its result. It connects the state machine in
//!    `tokentoss-custody`, which decides, with the provider and the store.
//! 4. [`connect`]: signing in, at the broker's pages or by a deposited code.
//! 5. [`through`]: calls to services for the caller, with a token that the caller never sees.
//! 6. [`upkeep`]: background tasks.
//! 7. [`store`]: rows, leases and sealed cells in SQLite or Postgres.
//! 8. [`journal`]: answers of providers that the database has not accepted yet.
//! 9. [`keys`]: the key ring, the tenants' data keys and the sealing of cells.

#[macro_use]
mod failpoints;

mod cache;
pub mod callers;
pub mod catalogue;
mod clock;
pub mod commands;
pub mod config;
pub mod connect;
pub mod events;
pub mod journal;
pub mod keys;
pub mod metrics;
pub mod problem;
pub mod refresh;
pub mod routes;
pub mod scope_names;
pub mod server;
mod serving;
pub mod socket;
pub mod source;
pub mod store;
mod texts;
pub mod through;
mod trace;
pub mod transport;
pub mod upkeep;
mod weak_map;

mod random;
