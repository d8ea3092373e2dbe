//! The operations of users and administrators on a grant.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::back_off::BackOff;
use crate::claim::HeldLease;
use crate::grant::{Access, Grant, Slot};
use crate::handle::{TokenHash, Version};
use crate::outcome::Renewed;
use crate::parameters::{MAX_LIFETIME, SettleParameters};
use crate::schedule::Schedule;
use crate::scopes::{Scopes, Target};
use crate::status::{Event, Revoker, Status};
use crate::update::{Guard, Update};

/// A finished sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The tokens, already sealed.
    pub tokens: Renewed,
    /// The requested scopes, which count if the answer names none (RFC 6749 section 5.1).
    pub requested: Scopes,
    /// The assumed lifetime of an access token without `expires_in`.
    pub assumed_life: Duration,
}

/// The row of a user who signs in for the first time.
///
/// `known` is the journal's version, which is not zero if the row existed and was lost.
#[must_use]
pub fn connect(now: Timestamp, sign_in: &SignIn, known: Version, parameters: &SettleParameters) -> Grant {
    let tokens = &sign_in.tokens;
    let consented = tokens.scopes.clone().unwrap_or_else(|| sign_in.requested.clone());
    let life = tokens.expires_in.filter(|life| !life.is_zero()).map(|life| life.min(MAX_LIFETIME));
    let access = Access {
        handle: tokens.access,
        scopes: consented.clone(),
        obtained_at: now,
        expires_at: life.map(|life| now + life),
    };
    let life = life.unwrap_or(sign_in.assumed_life);
    Grant {
        version: known.next(),
        status: Status::Active,
        consented,
        refresh: tokens.refresh,
        id_token: tokens.id_token,
        tokens: vec![Slot { target: Target::default(), access: Some(access), refused_until: None }],
        assumed_life: sign_in.assumed_life,
        connected_at: now,
        renewed_at: now,
        used_at: now,
        schedule: Schedule::after(now, life, parameters.forgets_after, parameters.jitter),
        back_off: BackOff::default(),
        lease: None,
        intent: None,
    }
}

/// The row of a user who signs in again. The old tokens are dropped and not revoked, because some providers
/// would revoke the new ones too.
#[must_use]
pub fn reconnect(
    now: Timestamp,
    grant: &Grant,
    sign_in: &SignIn,
    known: Version,
    parameters: &SettleParameters,
) -> Update {
    let status = grant.status.after(Event::SignedIn);
    let after = Grant { status, ..connect(now, sign_in, known.max(grant.version), parameters) };
    Update { guard: Guard::of_version(grant.version), after, revoke: Vec::new() }
}

/// Ends a grant, even during a refresh: its tokens move from the row to the revocation queue. None if it has
/// ended.
#[must_use]
pub fn sign_out(grant: &Grant, by: Revoker) -> Option<Update> {
    if matches!(grant.status, Status::Revoked(_)) {
        return None;
    }
    let access = grant.tokens.iter().filter_map(|slot| slot.access.as_ref()).map(|access| access.handle);
    let revoke = grant.refresh.map_or_else(|| access.collect(), |refresh| vec![refresh]);
    let after = Grant {
        version: grant.version.next(),
        status: grant.status.after(Event::Revoked(by)),
        refresh: None,
        id_token: None,
        tokens: Vec::new(),
        lease: None,
        intent: None,
        back_off: BackOff::default(),
        ..grant.clone()
    };
    Some(Update { guard: Guard::of_version(grant.version), after, revoke })
}

/// Confirms by an administrator that a row in `error` can be used as it is. None for other rows, and for one
/// whose refresh token the provider had refused: it needs a new sign-in.
#[must_use]
pub fn confirm(grant: &Grant) -> Option<Update> {
    let is_dead = grant.refresh.is_none() && grant.intent.is_some();
    (matches!(grant.status, Status::Error(_)) && !is_dead).then(|| {
        let status = grant.status.after(Event::Confirmed);
        let after =
            Grant { version: grant.version.next(), status, back_off: BackOff::default(), ..grant.clone() };
        Update { guard: Guard::of(grant), after, revoke: Vec::new() }
    })
}

/// Releases a lease under which nothing was sent. None if another holder has the lease.
#[must_use]
pub fn release_lease(grant: &Grant, held: &HeldLease) -> Option<Update> {
    grant.lease.filter(|lease| lease.owner == held.owner)?;
    // An intent from before the claim is kept.
    let intent = grant.intent.filter(|_| held.claim.is_repeated);
    let after = Grant { lease: None, intent, ..grant.clone() };
    Some(Update { guard: Guard::of(grant), after, revoke: Vec::new() })
}

/// Removes an access token whose cell cannot be opened, so that the next demand refreshes. None if it is not
/// in the row.
#[must_use]
pub fn forget_access(grant: &Grant, hash: TokenHash) -> Option<Update> {
    let is_it = |access: &Access| access.handle.hash == hash;
    let mut after = Grant { version: grant.version.next(), ..grant.clone() };
    let slot = after.tokens.iter_mut().find(|slot| slot.access.as_ref().is_some_and(is_it))?;
    slot.access = None;
    Some(Update { guard: Guard::of(grant), after, revoke: Vec::new() })
}
