//! Settles an attempt: from its outcome to the write.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::attempt::AttemptReport;
use crate::back_off::BackOff;
use crate::claim::Claim;
use crate::grant::{Access, Grant, Intent, Slot};
use crate::handle::Handle;
use crate::outcome::{Failure, Outcome, Renewed};
use crate::parameters::{LEASE, MAX_LIFETIME, MAX_REFUSALS, SettleParameters, TARGET_REFUSAL_TTL, before};
use crate::schedule::Schedule;
use crate::status::{ErrorCause, Event, ExpiredCause, Status};
use crate::update::{Guard, Settlement, Update};

/// Settles a grant after an attempt.
///
/// `grant` is the row as it is now, by the database's clock at `now`, so that the same call serves the first
/// write, another one after a conflict, and a replay from the journal. `age` is the time since the claim: by
/// a monotonic clock in the same process, otherwise by the database's clock.
#[must_use]
pub fn settle(
    now: Timestamp,
    age: Duration,
    grant: &Grant,
    report: &AttemptReport,
    parameters: &SettleParameters,
) -> Settlement {
    match &report.outcome {
        Outcome::Renewed(renewed) => match standing(grant, report) {
            // The sent token was queued for revocation at the sign-out.
            Standing::Gone => {
                Settlement::Revoke(vec![rotated(renewed.refresh, report).unwrap_or(renewed.access)])
            }
            Standing::Superseded => Settlement::Nothing,
            standing => settle_renewed((now, age), grant, report, renewed, parameters, standing),
        },
        Outcome::RotatedOnly(refresh) => match standing(grant, report) {
            Standing::Gone => rotated(Some(*refresh), report)
                .map_or(Settlement::Nothing, |new| Settlement::Revoke(vec![new])),
            Standing::Superseded => Settlement::Nothing,
            standing => rotated_only(now, grant, report, *refresh, parameters, standing),
        },
        outcome => match standing(grant, report) {
            Standing::Holder => write(grant, failed(now, grant, report, outcome, parameters)),
            // Only the holder knows whether a failure still counts.
            Standing::Late | Standing::Revived | Standing::Superseded | Standing::Gone => Settlement::Nothing,
        },
    }
}

/// The relation of an attempt to the current row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It still holds the lease.
    Holder,
    /// It lost the lease, but the refresh token that it sent is still current, or was marked as dead.
    Late,
    /// The row is from before the claim: a failover or a backup restored it.
    Revived,
    /// The row has another refresh token now.
    Superseded,
    /// The grant was ended on purpose.
    Gone,
}

fn standing(grant: &Grant, report: &AttemptReport) -> Standing {
    let claim = &report.held.claim;
    let is_holder = grant.lease.is_some_and(|lease| lease.owner == report.held.owner);
    let taken_for_dead = || {
        matches!(grant.status, Status::Expired(_))
            && grant.intent.is_some_and(|intent| intent.hash == claim.refresh.hash)
    };
    let is_unchanged = match grant.refresh {
        Some(refresh) => refresh.hash == claim.refresh.hash,
        None => taken_for_dead(),
    };
    match () {
        () if matches!(grant.status, Status::Revoked(_)) => Standing::Gone,
        () if is_unchanged && is_holder => Standing::Holder,
        () if grant.version < claim.version => Standing::Revived,
        () if is_unchanged => Standing::Late,
        () => Standing::Superseded,
    }
}

/// The refresh token of an answer, unless it is the one that was sent: the row knows in which cell that is
/// now, if it still has it.
fn rotated(answered: Option<Handle>, report: &AttemptReport) -> Option<Handle> {
    answered.filter(|refresh| refresh.hash != report.held.claim.refresh.hash)
}

fn write(grant: &Grant, after: Grant) -> Settlement {
    Settlement::Update(Box::new(Update { guard: Guard::of(grant), after, revoke: Vec::new() }))
}

/// The row with the next version and without a lease.
fn released(grant: &Grant, claim: &Claim) -> Grant {
    Grant { version: grant.version.max(claim.version).next(), lease: None, ..grant.clone() }
}

/// From when a token's life counts: from the claim, but no further from its age than a lease, because the
/// database's clock may have been changed in between.
fn counted_from(now: Timestamp, age: Duration, claim: &Claim) -> Timestamp {
    claim.at.clamp(before(now, age.saturating_add(LEASE)), before(now, age.saturating_sub(LEASE)))
}

/// What new tokens do to the status. What was lost with the newer rows may have been a sign-out, so that
/// somebody must confirm.
const fn success(standing: Standing) -> Event {
    match standing {
        Standing::Revived => Event::Failed(ErrorCause::RolledBack),
        Standing::Holder | Standing::Late | Standing::Superseded | Standing::Gone => Event::Renewed,
    }
}

fn settle_renewed(
    (now, age): (Timestamp, Duration),
    grant: &Grant,
    report: &AttemptReport,
    renewed: &Renewed,
    parameters: &SettleParameters,
    standing: Standing,
) -> Settlement {
    let claim = &report.held.claim;
    let obtained_at = counted_from(now, age, claim);
    let present = grant.slot(&claim.target).and_then(|slot| slot.access.as_ref());
    let rotated = rotated(renewed.refresh, report);
    let is_older = present.is_some_and(|access| access.obtained_at >= obtained_at);
    if standing == Standing::Late && rotated.is_none() && is_older {
        return Settlement::Nothing;
    }
    if rotated.or(grant.refresh).is_none() {
        // The token that was sent has been refused since, and this answer brings no other: the grant stays
        // dead.
        return Settlement::Nothing;
    }
    let scopes = renewed.scopes.clone().unwrap_or_else(|| match present {
        _ if !claim.target.scopes.is_empty() => claim.target.scopes.clone(),
        Some(access) => access.scopes.clone(),
        None => grant.consented.clone(),
    });
    let life = renewed.expires_in.filter(|life| !life.is_zero()).map(|life| life.min(MAX_LIFETIME));
    let expires_at = life.map(|life| obtained_at + life);
    let access = Access { handle: renewed.access, scopes, obtained_at, expires_at };

    let mut after = released(grant, claim);
    if standing == Standing::Late && rotated.is_none() {
        // The successor is about to send, or has sent, the same token, so that nobody else may yet.
        after.lease = grant.lease;
    }
    after.status = grant.status.after(success(standing));
    after.refresh = rotated.or(grant.refresh);
    after.id_token = renewed.id_token.or(grant.id_token);
    after.intent = None;
    after.renewed_at = obtained_at;
    let life = after.life(&access);
    let schedule = Schedule::after(obtained_at, life, parameters.forgets_after, parameters.jitter);
    let refresh_at = if claim.target.is_main() { schedule.refresh_at } else { grant.schedule.refresh_at };
    after.schedule = Schedule { refresh_at, ..schedule };
    after.back_off = match after.ttl(&access, now) {
        // What is written long after it came may have ended since, which says nothing of the provider.
        Duration::ZERO if age <= LEASE => {
            grant.back_off.failed(now, Failure::DeadOnArrival, None, parameters.jitter)
        }
        _ => BackOff::default(),
    };
    after.put(Slot { target: claim.target.clone(), access: Some(access), refused_until: None });
    write(grant, after)
}

fn rotated_only(
    now: Timestamp,
    grant: &Grant,
    report: &AttemptReport,
    refresh: Handle,
    parameters: &SettleParameters,
    standing: Standing,
) -> Settlement {
    let Some(refresh) = rotated(Some(refresh), report).or(grant.refresh) else { return Settlement::Nothing };
    let mut after = released(grant, &report.held.claim);
    after.status = grant.status.after(success(standing));
    after.refresh = Some(refresh);
    after.intent = None;
    after.back_off = grant.back_off.failed(now, Failure::Unreadable, None, parameters.jitter);
    write(grant, after)
}

/// Whether a refusal may be about the target that was asked for, and not about the grant.
fn is_about_target(outcome: &Outcome, claim: &Claim) -> bool {
    let may_be = match outcome {
        Outcome::Ended(_) | Outcome::ScopeRefused => true,
        Outcome::Failed { failure, .. } => *failure == Failure::RequestRefused,
        _ => false,
    };
    may_be && !claim.target.is_main()
}

fn target_refused(
    now: Timestamp,
    grant: &Grant,
    claim: &Claim,
    outcome: &Outcome,
    mut after: Grant,
) -> Grant {
    let access = grant.slot(&claim.target).and_then(|slot| slot.access.clone());
    after.put(Slot { target: claim.target.clone(), access, refused_until: Some(now + TARGET_REFUSAL_TTL) });
    if matches!(outcome, Outcome::Ended(_)) {
        // The main token's refresh tells whether the grant is over.
        after.schedule.refresh_at = grant.schedule.refresh_at.min(now);
    }
    after
}

/// Whether the provider has called the same request malformed in one attempt after another.
fn is_forgotten(grant: &Grant, outcome: &Outcome) -> bool {
    let is_refused = matches!(outcome, Outcome::Failed { failure: Failure::RequestRefused, .. });
    let BackOff { failures, failure, .. } = grant.back_off;
    is_refused && failure == Some(Failure::RequestRefused) && failures.saturating_add(1) >= MAX_REFUSALS
}

fn failed(
    now: Timestamp,
    grant: &Grant,
    report: &AttemptReport,
    outcome: &Outcome,
    parameters: &SettleParameters,
) -> Grant {
    let claim = &report.held.claim;
    let mut after = released(grant, claim);
    let kept = Intent { hash: claim.refresh.hash, at: claim.intent.at };
    after.intent = report.is_uncertain.then_some(kept);
    if is_about_target(outcome, claim) {
        return target_refused(now, grant, claim, outcome, after);
    }
    let forgotten = Outcome::Ended(ExpiredCause::GrantForgotten);
    let event = match if is_forgotten(grant, outcome) { &forgotten } else { outcome } {
        Outcome::Ended(cause) => {
            let interrupted = cause.may_follow_a_lost_answer() && report.is_uncertain;
            after.refresh = None;
            // By its hash a late success of the same token is recognised.
            after.intent = Some(kept);
            after.back_off = BackOff::default();
            Event::Ended(if interrupted { ExpiredCause::RefreshInterrupted } else { *cause })
        }
        Outcome::InvalidClient => Event::Failed(ErrorCause::InvalidClient(parameters.client_revision)),
        Outcome::UnauthorizedClient => {
            Event::Failed(ErrorCause::UnauthorizedClient(parameters.client_revision))
        }
        Outcome::CellUnreadable => Event::Failed(ErrorCause::CellUnreadable),
        Outcome::Failed { failure, retry_after } => {
            after.back_off = grant.back_off.failed(now, *failure, *retry_after, parameters.jitter);
            return after;
        }
        // Nothing was asked for by name, so the refusal makes no sense.
        Outcome::ScopeRefused | Outcome::Renewed(_) | Outcome::RotatedOnly(_) => {
            after.back_off = grant.back_off.failed(now, Failure::UnknownRefusal, None, parameters.jitter);
            return after;
        }
    };
    after.status = grant.status.after(event);
    after
}
