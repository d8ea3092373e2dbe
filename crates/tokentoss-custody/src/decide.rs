//! Decides the next step for a demand.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::claim::Claim;
use crate::correction::correction;
use crate::decision::Decision;
use crate::demand::{Candidate, Credential, Demand, Requester};
use crate::grant::{Access, Grant};
use crate::outcome::Failure;
use crate::parameters::{
    Context, MAX_RETRY_AFTER, REJECTION_COOLDOWN, TARGET_REFUSAL_TTL, between, clock_went_back,
};
use crate::problem::{Problem, Refusal};
use crate::scopes::Target;
use crate::status::{ErrorCause, ExpiredCause, Status};

/// An obstacle to refreshing a grant now.
enum Obstacle {
    /// A permanent obstacle.
    Final(Refusal),
    /// An obstacle that ends at this time.
    Until(Timestamp, Problem),
}

/// Decides what to do about a demand.
///
/// `now` is the database's clock, which also wrote the times in the row.
#[must_use]
pub fn decide(now: Timestamp, grant: &Grant, demand: &Demand, context: &Context) -> Decision {
    if let Some(update) = correction(now, grant, context) {
        return Decision::Correct(Box::new(update));
    }
    match demand.requester {
        Requester::Scheduler => for_scheduler(now, grant, context),
        Requester::Caller { gives_up_at } => for_caller(now, grant, demand, context, gives_up_at),
    }
}

fn for_scheduler(now: Timestamp, grant: &Grant, context: &Context) -> Decision {
    match grant.due_at(now, context.client_revision) {
        Some(due) if due <= now => match Claim::new(now, grant, Target::default()) {
            Some(claim) => Decision::Refresh(claim),
            None => Decision::Rest { until: None },
        },
        until => Decision::Rest { until },
    }
}

fn for_caller(
    now: Timestamp,
    grant: &Grant,
    demand: &Demand,
    context: &Context,
    gives_up_at: Timestamp,
) -> Decision {
    let best = demand.best(grant, now);
    let has = |needed: fn(&Demand, Duration) -> Duration| {
        let Candidate { slot, life, ttl } = best?;
        // A token without remaining lifetime is useless.
        (!ttl.is_zero() && ttl >= needed(demand, life)).then_some(slot)
    };
    if let Some(slot) = has(|demand, life| demand.min_ttl.wanted(life)) {
        return Decision::Serve { slot, is_last_resort: false };
    }
    let target = demand.target_in(grant);
    let refused = unserviceable(now, grant, demand, &target).map(Obstacle::Final);
    let obstacle = refused.or_else(|| obstacle(now, grant, context));
    if let (Some(_), Some(slot)) = (&obstacle, has(|demand, life| demand.min_ttl.required(life))) {
        return Decision::Serve { slot, is_last_resort: true };
    }
    match obstacle {
        Some(Obstacle::Final(refusal)) => Decision::Refuse(refusal),
        Some(Obstacle::Until(until, _)) if until <= gives_up_at => Decision::Wait { until },
        Some(Obstacle::Until(until, Problem::RefreshBusy)) if now < gives_up_at => {
            // The holder may finish before its lease ends.
            Decision::Wait { until: until.min(gives_up_at) }
        }
        Some(Obstacle::Until(until, problem)) => Decision::Refuse(Refusal {
            problem,
            cause: None,
            retry_after: Some(between(now, until).min(MAX_RETRY_AFTER)),
        }),
        None => match Claim::new(now, grant, target) {
            Some(claim) => Decision::Refresh(claim),
            None => Decision::Refuse(ended(Problem::ReauthRequired, NO_REFRESH_TOKEN)),
        },
    }
}

const NO_REFRESH_TOKEN: Status = Status::Expired(ExpiredCause::RefreshTokenMissing);

fn ended(problem: Problem, status: Status) -> Refusal {
    Refusal { problem, cause: status.cause(), retry_after: None }
}

/// The obstacle in the status, the lease or the back-off.
fn obstacle(now: Timestamp, grant: &Grant, context: &Context) -> Option<Obstacle> {
    if !grant.status.allows_refresh(context.client_revision) {
        let problem = match grant.status {
            Status::Revoked(_) => Problem::NotConnected,
            // A new sign-in replaces the row, so the user need not wait for an administrator.
            Status::Expired(_) | Status::Error(ErrorCause::RolledBack) => Problem::ReauthRequired,
            Status::Error(ErrorCause::CellUnreadable) => Problem::KeyUnavailable,
            Status::Error(_) | Status::Active => Problem::ClientMisconfigured,
        };
        return Some(Obstacle::Final(ended(problem, grant.status)));
    }
    if grant.refresh.is_none() {
        return Some(Obstacle::Final(ended(Problem::ReauthRequired, NO_REFRESH_TOKEN)));
    }
    if let Some(lease) = grant.lease.filter(|lease| lease.until > now) {
        return Some(Obstacle::Until(lease.until, Problem::RefreshBusy));
    }
    let until = grant.back_off.next_attempt_at(now)?;
    let misbehaved = grant.back_off.failure.is_some_and(Failure::is_misbehaviour);
    let problem = if misbehaved { Problem::ProviderMisbehaved } else { Problem::ProviderUnavailable };
    Some(Obstacle::Until(until, problem))
}

/// Why no refresh can serve this demand.
fn unserviceable(now: Timestamp, grant: &Grant, demand: &Demand, target: &Target) -> Option<Refusal> {
    // Status first: a user who must sign in again is told so, and not what the next sign-in would lack.
    if matches!(grant.status, Status::Expired(_) | Status::Revoked(_)) {
        return None;
    }
    let refuse = |problem, retry_after| Some(Refusal { problem, cause: None, retry_after });
    if !demand.target.scopes.is_subset(&grant.consented) {
        return refuse(Problem::ScopeMissing, None);
    }
    let slot = grant.slot(target)?;
    if slot
        .refused_until
        .is_some_and(|until| until > now && !clock_went_back(now + TARGET_REFUSAL_TTL, until))
    {
        return refuse(Problem::ScopeMissing, None);
    }
    let access = slot.access.as_ref()?;
    if demand.credential == Credential::IdToken {
        return without_id_token(now, grant, demand, access);
    }
    if !demand.min_ttl.is_reachable(grant.life(access)) {
        return refuse(Problem::MinTtlUnreachable, None);
    }
    let pause = new_for(now, access).filter(|_| !grant.ttl(access, now).is_zero())?;
    if demand.rejected == Some(access.handle.hash) {
        return refuse(Problem::RateLimited, Some(pause));
    }
    if !demand.target.scopes.is_subset(&access.scopes) {
        return refuse(Problem::ScopeMissing, None);
    }
    match demand.min_ttl {
        crate::MinTtl::AtLeast(least) if grant.ttl(access, now) < least => {
            refuse(Problem::MinTtlUnreachable, None)
        }
        _ => None,
    }
}

/// Why no refresh can bring the requested ID token: the recent last answer had no suitable one.
fn without_id_token(now: Timestamp, grant: &Grant, demand: &Demand, access: &Access) -> Option<Refusal> {
    let refuse = |problem, retry_after| Some(Refusal { problem, cause: None, retry_after });
    let pause = new_for(now, access)?;
    match grant.id_token {
        Some(token) if demand.rejected == Some(token.handle.hash) => {
            refuse(Problem::RateLimited, Some(pause))
        }
        Some(token) if !token.ttl(access, now).is_zero() => refuse(Problem::MinTtlUnreachable, None),
        _ => refuse(Problem::IdTokenMissing, None),
    }
}

/// The remaining time for which a token counts as new; none if it is not new.
fn new_for(now: Timestamp, access: &Access) -> Option<Duration> {
    let pause = REJECTION_COOLDOWN.saturating_sub(between(access.obtained_at, now));
    (!pause.is_zero() && !clock_went_back(now, access.obtained_at)).then_some(pause)
}
