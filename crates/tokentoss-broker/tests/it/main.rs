//! The broker as its callers see it, with a provider on loopback that rotates and looks for reuse.

mod accounts;
mod cache;
mod callers;
mod crashes;
mod due;
mod events;
mod journal;
mod keys;
mod metrics;
mod outages;
mod process;
mod provider;
mod refresh;
mod requests;
mod revocations;
mod running;
mod scheduler;
mod sign_in;
mod store;
mod uses;
