//! A small world for the custody of refresh tokens: three replicas on one row, a provider that rotates, callers who wait, and
//! every fault between them, on a virtual clock and from one seed.
//!
//! [`World::run`] plays a seed to its end and returns what broke, so that a failure names the seed that repeats it.

mod callers;
mod dice;
mod faults;
mod mischief;
mod provider;
mod replica;
mod store;
mod tasks;
mod world;

pub use dice::Dice;
pub use faults::Faults;
pub use provider::{Habits, Provider};
pub use world::{Tally, World};
