//! The broker: refresh tokens and client secrets stay here, and callers get access tokens that die soon.
//!
//! What a request passes through, from the outside in:
//!
//! 1. [`routes`]: one file a route. It reads the request and writes the answer.
//! 2. [`callers`]: who asks, and for which tenant and user.
//! 3. [`refresh`]: one task a grant refreshes; everybody else waits for its news. It moves bytes between the machine in
//!    `tokentoss-custody`, which decides, the provider and the store.
//! 4. [`connect`]: signing in, at the broker's pages or by a code that is deposited.
//! 5. [`through`]: calls that are made for the caller, with a token that the caller never sees.
//! 6. [`upkeep`]: what goes on without a request.
//! 7. [`store`]: rows, leases and sealed cells in SQLite or Postgres.
//! 8. [`journal`]: what must not be lost while the database is away.
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
