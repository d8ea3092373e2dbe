//! The broker as its callers see it, with a provider on loopback that rotates and looks for reuse.

mod accounts;
mod callers;
mod keys;
mod outages;
mod provider;
mod refresh;
mod requests;
mod running;
mod store;
