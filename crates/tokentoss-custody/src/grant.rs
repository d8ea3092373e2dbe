//! One grant, as its row holds it.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::back_off::BackOff;
use crate::handle::{Handle, LeaseOwner, TokenHash, Version};
use crate::parameters::{MAX_TARGETS, TARGET_REFUSAL_TTL, before, between, clock_went_back};
use crate::schedule::Schedule;
use crate::scopes::{Scopes, Target};
use crate::status::Status;

/// The row of a grant. Every field is a column, except [`Grant::tokens`], which are the main token's columns
/// and the rows of `variants`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The version, which every write compares.
    pub version: Version,
    /// Status and cause.
    pub status: Status,
    /// The scopes that were granted at the sign-in.
    pub consented: Scopes,
    /// The refresh token.
    pub refresh: Option<Handle>,
    /// The ID token.
    pub id_token: Option<IdToken>,
    /// The access tokens, one for each target.
    pub tokens: Vec<Slot>,
    /// The assumed lifetime of an access token without `expires_in`.
    pub assumed_life: Duration,
    /// When the user signed in.
    pub connected_at: Timestamp,
    /// When the provider last issued tokens.
    pub renewed_at: Timestamp,
    /// When a caller last got a token; written separately, without a new version.
    pub used_at: Timestamp,
    /// When the scheduler should refresh.
    pub schedule: Schedule,
    /// The back-off after failures.
    pub back_off: BackOff,
    /// The lease of the current refresh.
    pub lease: Option<Lease>,
    /// The refresh token that may have been sent without a known answer.
    pub intent: Option<Intent>,
}

/// The right to refresh one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The holder.
    pub owner: LeaseOwner,
    /// When it ends by the database's clock.
    pub until: Timestamp,
}

/// The intent: the refresh token that may have been sent to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The refresh token.
    pub hash: TokenHash,
    /// When it was first going to be sent.
    pub at: Timestamp,
}

/// An ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdToken {
    /// The token.
    pub handle: Handle,
    /// Its claim `exp`.
    pub expires_at: Timestamp,
}

/// The slot for the token of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The target.
    pub target: Target,
    /// The token that the provider issued for it.
    pub access: Option<Access>,
    /// The time until which a refusal of this target by the provider is remembered.
    pub refused_until: Option<Timestamp>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The token.
    pub handle: Handle,
    /// The scopes that it has.
    pub scopes: Scopes,
    /// When it was requested; its lifetime starts then.
    pub obtained_at: Timestamp,
    /// When it expires; none without `expires_in`.
    pub expires_at: Option<Timestamp>,
}

impl IdToken {
    /// The whole lifetime of an ID token that came with this access token.
    pub(crate) fn life(&self, access: &Access) -> Duration {
        between(access.obtained_at, self.expires_at)
    }

    /// The remaining lifetime; zero if the clock was set back since it came.
    #[must_use]
    pub fn ttl(&self, access: &Access, now: Timestamp) -> Duration {
        if clock_went_back(now, access.obtained_at) { Duration::ZERO } else { between(now, self.expires_at) }
    }
}

impl Slot {
    /// When the provider issued or refused it.
    fn written_at(&self) -> Timestamp {
        let refused_at = self.refused_until.map(|until| before(until, TARGET_REFUSAL_TTL));
        let obtained_at = self.access.as_ref().map(|access| access.obtained_at);
        obtained_at.max(refused_at).unwrap_or(Timestamp::from_millis(0))
    }
}

impl Grant {
    /// The slot of a target.
    #[must_use]
    pub fn slot(&self, target: &Target) -> Option<&Slot> {
        self.tokens.iter().find(|slot| slot.target == *target)
    }

    /// The main access token.
    #[must_use]
    pub fn main(&self) -> Option<&Access> {
        self.slot(&Target::default())?.access.as_ref()
    }

    /// The whole lifetime of an access token; [`Duration::MAX`] for one without an expiry that cannot be
    /// refreshed, because it can only be used until it is refused.
    #[must_use]
    pub fn life(&self, access: &Access) -> Duration {
        match access.expires_at {
            Some(end) => between(access.obtained_at, end),
            None if self.refresh.is_none() && self.status == Status::Active => Duration::MAX,
            None => self.assumed_life,
        }
    }

    /// The remaining lifetime of an access token; zero if the clock was set back since it was obtained.
    #[must_use]
    pub fn ttl(&self, access: &Access, now: Timestamp) -> Duration {
        match self.life(access) {
            Duration::MAX => Duration::MAX,
            _ if clock_went_back(now, access.obtained_at) => Duration::ZERO,
            life => life.saturating_sub(between(access.obtained_at, now)),
        }
    }

    /// Stores the slot of a target. If there are too many, the oldest one is removed.
    pub(crate) fn put(&mut self, slot: Slot) {
        if let Some(other) = self.tokens.iter_mut().find(|other| other.target == slot.target) {
            *other = slot;
            return;
        }
        while self.tokens.len() >= MAX_TARGETS {
            let others = self.tokens.iter().enumerate().filter(|(_, other)| !other.target.is_main());
            let Some((oldest, _)) = others.min_by_key(|(_, other)| other.written_at()) else { break };
            self.tokens.remove(oldest);
        }
        self.tokens.push(slot);
    }
}
