//! The broker as its callers see it, with a provider on loopback that rotates and looks for reuse.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by them, and clippy.toml allows them in the tests' own functions alone"
)]

mod accounts;
mod allowed_providers;
mod audiences;
mod cache;
mod callers;
mod cancelled_database_calls;
mod cell_layouts;
mod check;
mod checked_key_ring;
mod clusters;
mod commands;
mod component_failures;
mod core_dumps;
mod crashes;
mod databases;
mod due_grants;
mod events;
mod fixed_user;
mod hub_outages;
mod issuers;
mod journal;
mod keys;
mod last_uses;
mod late_journal_replay;
mod malformed_requests;
mod metrics;
mod misplaced_secrets;
mod moved_cells;
mod openapi_document;
mod openid_provider;
mod other_users_data;
mod outbound;
mod postgres_settings;
mod postgres_tls;
mod presets;
mod process;
mod provider;
mod provider_outages;
mod refresh;
mod rekey;
mod requests;
mod revocations;
mod revocations_unconfigured;
mod running;
mod scheduler;
mod scope_names;
mod secret_leaks;
mod sign_in;
mod slow_requests;
mod snapshots;
mod socket_file;
mod sources;
mod store;
mod through;
mod thundering_herd;
mod traces;
mod unix_socket;
mod unreadable_rows;
mod upgrades;
