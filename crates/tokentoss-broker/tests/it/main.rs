//! The broker as its callers see it, with a provider on loopback that rotates and looks for reuse.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by them, and clippy.toml allows them in the tests' own functions alone"
)]

mod accounts;
mod audiences;
mod bad_days;
mod cache;
mod callers;
mod canaries;
mod check;
mod clusters;
mod commands;
mod core_dumps;
mod crashes;
mod cut_off;
mod documented;
mod due;
mod events;
mod fixed_user;
mod foreign;
mod herd;
mod hostile;
mod hub_outages;
mod journal;
mod keys;
mod metrics;
mod openid_provider;
mod outages;
mod postgres_tls;
mod process;
mod provider;
mod refresh;
mod rekey;
mod requests;
mod revocations;
mod running;
mod scheduler;
mod sign_in;
mod snapshots;
mod socket_file;
mod sources;
mod store;
mod through;
mod unix_socket;
mod uses;
