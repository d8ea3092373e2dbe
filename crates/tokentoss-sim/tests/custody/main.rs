//! The custody of refresh tokens in a simulated world: properties over many seeds.
//!
//! `CUSTODY_SEEDS` raises the number of seeds, `CUSTODY_SEED` plays a single one.
#![cfg(not(target_arch = "wasm32"))]

mod properties;
