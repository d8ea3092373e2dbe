//! The state machine for refresh tokens in custody, without I/O.
//!
//! This crate uses no network, clock, random number generator or database. Only [`renewal`] sees tokens: the
//! state machine refers to them by [`Handle`]s, which are hash and sealed cell. Times are those of the
//! database's clock, in whole milliseconds.
//!
//! # Usage
//!
//! A server stores rows and does all I/O; this crate decides each next step.
//!
//! 1. Read the row into a [`Grant`] and ask [`decide()`] about a [`Demand`]. It answers with a [`Decision`]:
//!    - [`Serve`](Decision::Serve): open that cell and issue the token; write `used_at` when convenient.
//!    - [`Wait`](Decision::Wait): wait for a notification about the row, then start again.
//!    - [`Correct`](Decision::Correct): run that [`Update`], then start again, whether or not it matched.
//!    - [`Refuse`](Decision::Refuse): answer with that [`Refusal`].
//!    - [`Rest`](Decision::Rest): for the scheduler alone, nothing to do now.
//!    - [`Refresh`](Decision::Refresh): run the [`Claim`] with a new random [`LeaseOwner`]. If it matched no
//!      row, start again. If it did, go on in a task that outlives the caller's request:
//! 2. Make an [`Attempt`] and do its [`Step`]s. A [`Send`](Step::Send) is one request, built by
//!    [`renewal::RefreshRequest`] and read by [`renewal::RefreshAnswer`]; seal the new tokens, then tell
//!    [`Attempt::answered`].
//! 3. For [`Settle`](Step::Settle), append the [`AttemptReport`] and its sealed cells to the journal if it has
//!    tokens, ask [`settle()`] for the [`Settlement`], and write it **before** any caller gets the tokens. If
//!    the guard does not match, read the row and ask [`settle()`] again with the same report. If the database is
//!    unavailable, the journal is replayed later in the same way.
//! 4. Wake the waiters. Each starts again at 1 with its own demand.
//!
//! [`connect`], [`reconnect`], [`sign_out`], [`confirm`] and [`forget_access`] are the operations of users
//! and administrators. After each write, record the row's version in the journal, and pass it in
//! [`Context::known`].
//!
//! After a failover, replay the journals, then let each replica ask [`decide()`] with its own
//! [`Context::known`], before any of them serves again: only the replica that wrote a version knows that
//! it was lost.
//!
//! # Guarantees
//!
//! - Statuses change only in [`Status::after`].
//! - Requests under one lease follow one another within [`DEADLINE`], which is shorter than [`LEASE`].
//! - A failure is written only by the holder of the lease. A success with the row's refresh token is always
//!   written.
//! - Each refusal has an [`Action`]; those with [`Action::Retry`] have a retry time.

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
