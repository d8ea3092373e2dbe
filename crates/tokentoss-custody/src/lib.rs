//! The life of a refresh token in custody, without I/O.
//!
//! Nothing here touches a network, a clock, a random number generator or a database, and nothing but
//! [`renewal`] sees a token: the machine knows tokens as [`Handle`]s, which are hash and sealed cell. Times
//! are those of the database's clock, in whole milliseconds.
//!
//! # How to drive it
//!
//! A server holds rows and moves bytes; what happens next is always asked here.
//!
//! 1. Read the row into a [`Grant`] and ask [`decide`] about a [`Demand`]. It answers with a [`Decision`]:
//!    - [`Serve`](Decision::Serve): open that cell and give the token out; write `used_at` when convenient.
//!    - [`Wait`](Decision::Wait): wait for news of the row, then start again.
//!    - [`Correct`](Decision::Correct): run that [`Update`], then start again, whether or not it matched.
//!    - [`Refuse`](Decision::Refuse): answer with that [`Refusal`].
//!    - [`Rest`](Decision::Rest): the scheduler's "not now".
//!    - [`Refresh`](Decision::Refresh): run the [`Claim`] with a new random [`LeaseOwner`]. If it matched no row, start again.
//!      If it did, go on in a task that outlives the caller's request:
//! 2. Make an [`Attempt`] and do its [`Step`]s. A [`Send`](Step::Send) is one request, built by
//!    [`renewal::RefreshRequest`] and read by [`renewal::RefreshAnswer`]; seal the new tokens, then tell
//!    [`Attempt::answered`].
//! 3. For [`Settle`](Step::Settle), append the [`AttemptReport`] and its sealed cells to the journal if it has tokens, ask
//!    [`settle`] what to [`Settlement`], and write it **before** anybody gets the tokens. If the guard does not match, read the row and
//!    ask [`settle`] again with the same report. If the database is away, the journal is replayed in the same way.
//! 4. Wake the waiters. Each starts again at 1 with its own demand.
//!
//! [`connect`], [`reconnect`], [`sign_out`], [`confirm`] and [`forget_access`] are what users and
//! administrators do. After each write, remember the row's version in the journal and give it back in
//! [`Context::known`].
//!
//! After a failover, replay the journals, then let each replica ask [`decide`] with its own
//! [`Context::known`], before one of them serves again: only the replica that wrote a version knows that it
//! was lost.
//!
//! # What it guarantees
//!
//! - Statuses change in [`Status::after`] alone.
//! - Requests under one lease follow one another within [`DEADLINE`], which is shorter than [`LEASE`].
//! - A failure is written by the holder of the lease only; a success of the row's refresh token is written whoever holds it.
//! - Each refusal has an [`Action`]; those with [`Action::Retry`] have a time.

mod attempt;
mod back_off;
mod claim;
mod correction;
mod decide;
mod decision;
mod demand;
mod grant;
mod handle;
mod lifecycle;
mod outcome;
mod parameters;
mod problem;
pub mod renewal;
mod schedule;
mod scopes;
mod settle;
mod status;
mod update;

pub use attempt::{Attempt, AttemptReport, Step};
pub use back_off::BackOff;
pub use claim::{Claim, HeldLease};
pub use decide::decide;
pub use decision::Decision;
pub use demand::{Credential, Demand, MinTtl, Requester};
pub use grant::{Access, Grant, IdToken, Intent, Lease, Slot};
pub use handle::{CellId, ClientRevision, Handle, LeaseOwner, TokenHash, Version};
pub use lifecycle::{SignIn, confirm, connect, forget_access, reconnect, release_lease, sign_out};
pub use outcome::{Failure, Outcome, Renewed};
pub use parameters::{
    CLOCK_TOLERANCE, Context, DEADLINE, DEFAULT_MIN_TTL, FALLBACK_MIN_TTL, INITIAL_BACK_OFF, Jitter, LEASE,
    MAX_BACK_OFF, MAX_LIFETIME, MAX_REFUSALS, MAX_RETRY_AFTER, MAX_TARGETS, MIN_REQUEST_TIMEOUT,
    REJECTION_COOLDOWN, SettleParameters, TARGET_REFUSAL_TTL,
};
pub use problem::{Action, Problem, Refusal};
pub use schedule::Schedule;
pub use scopes::{Scopes, Target};
pub use settle::settle;
pub use status::{ErrorCause, Event, ExpiredCause, Revoker, Status};
pub use update::{Guard, Settlement, Update};
