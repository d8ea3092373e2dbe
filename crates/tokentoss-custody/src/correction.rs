//! Corrections of rows that cannot be used as they are.

use tokentoss_core::Timestamp;

use crate::grant::{Grant, Lease};
use crate::parameters::{CLOCK_TOLERANCE, Context, LEASE};
use crate::status::{ErrorCause, Event, ExpiredCause, Status};
use crate::update::{Guard, Update};

/// The correction to write before anything else is decided.
pub(crate) fn correction(now: Timestamp, grant: &Grant, context: &Context) -> Option<Update> {
    if grant.version < context.known {
        return Some(rolled_back(grant, context));
    }
    let lease = grant.lease.filter(|lease| lease.until > now + LEASE + CLOCK_TOLERANCE);
    if let Some(lease) = lease {
        // The clock was set back. The holder measures its time with a monotonic clock, so it ends within one
        // lease from now.
        let after = Grant { lease: Some(Lease { until: now + LEASE, ..lease }), ..grant.clone() };
        return Some(Update { guard: Guard::of(grant), after, revoke: Vec::new() });
    }
    let spent = |access: &crate::Access| grant.ttl(access, now).is_zero();
    let over = grant.refresh.is_none() && grant.lease.is_none() && grant.main().is_none_or(spent);
    (over && grant.status == Status::Active).then(|| {
        let status = grant.status.after(Event::Ended(ExpiredCause::RefreshTokenMissing));
        let after = Grant { status, version: grant.version.next(), ..grant.clone() };
        Update { guard: Guard::of(grant), after, revoke: Vec::new() }
    })
}

/// An old row that a failover or a backup restored. Its refresh token is probably consumed, and sending it
/// again could end the whole grant at a provider that detects reuse (RFC 9700 section 4.14.2).
fn rolled_back(grant: &Grant, context: &Context) -> Update {
    let after = Grant {
        version: context.known.next(),
        status: grant.status.after(Event::Failed(ErrorCause::RolledBack)),
        lease: None,
        ..grant.clone()
    };
    Update { guard: Guard::of(grant), after, revoke: Vec::new() }
}
