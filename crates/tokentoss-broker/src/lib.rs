//! The broker: refresh tokens and client secrets stay here, and callers get access tokens that die soon.
//!
//! What a request passes through, from the outside in:
//!
//! 1. [`routes`]: one file a route. It reads the request and writes the answer.
//! 2. [`callers`]: who asks, and for which tenant and user.
//! 3. [`refresh`]: one task a grant refreshes; everybody else waits for its news. It moves bytes between the machine in
//!    `tokentoss-custody`, which decides, the provider and the store.
//! 4. [`upkeep`]: what goes on without a request.
//! 5. [`store`]: rows, leases and sealed cells in SQLite or Postgres.
//! 6. [`journal`]: what must not be lost while the database is away.
//! 7. [`keys`]: the key ring, the tenants' data keys and the sealing of cells.

#[macro_use]
mod failpoints;

mod cache;
pub mod callers;
pub mod catalogue;
mod clock;
pub mod config;
pub mod connect;
pub mod events;
pub mod journal;
pub mod keys;
pub mod metrics;
pub mod problem;
pub mod refresh;
pub mod routes;
pub mod server;
pub mod store;
pub mod upkeep;

mod random;
