//! A small world for a [`Flow`](tokentoss_core::Flow): provider, browser and kernel, all simulated, on a virtual
//! clock, so that every order of events and every fault can be played through in microseconds.
//!
//! [`World::step`] performs one thing that is due; [`World::settle`] goes on until nothing more
//! happens by itself, and fails after a bounded number of steps, so that a livelock is a failing
//! test and not a hanging one.

mod browser;
pub mod custody;
mod device;
mod effects;
mod endpoint;
mod kernel;
mod provider;
mod world;

pub use browser::{Browser, Place, Window};
pub use device::{Device, Entered, GRANT_TYPE};
pub use endpoint::{Answer, CLIENT_ID};
pub use kernel::{Channel, Kernel, LISTENER, PAGE, Registration, Taken, ToKernel};
pub use provider::{ISSUER, Provider, User};
pub use world::{START, World};
