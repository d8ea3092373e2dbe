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
    /// What every write compares.
    pub version: Version,
    /// Status and cause.
    pub status: Status,
    /// The scopes that the sign-in was granted.
    pub consented: Scopes,
    /// The refresh token.
    pub refresh: Option<Handle>,
    /// The ID token.
    pub id_token: Option<IdToken>,
    /// The access tokens, one for each target.
    pub tokens: Vec<Slot>,
    /// How long an access token is believed to live whose provider does not tell.
    pub assumed_life: Duration,
    /// When the user signed in.
    pub connected_at: Timestamp,
    /// When the provider last gave tokens.
    pub renewed_at: Timestamp,
    /// When a caller last got a token; written apart from the rest, without a version.
    pub used_at: Timestamp,
    /// When the scheduler should refresh.
    pub schedule: Schedule,
    /// What the latest failures ask for.
    pub back_off: BackOff,
    /// Who refreshes now.
    pub lease: Option<Lease>,
    /// The refresh token that was sent, or was about to be, without a known answer.
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

/// What may have been sent to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The refresh token.
    pub hash: TokenHash,
    /// When it was first meant to be sent.
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

/// The place of the token for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What is asked for.
    pub target: Target,
    /// The token that the provider gave for it.
    pub access: Option<Access>,
    /// Until when the provider's refusal of this target is believed.
    pub refused_until: Option<Timestamp>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The token.
    pub handle: Handle,
    /// The scopes that it has.
    pub scopes: Scopes,
    /// When it was asked for, from which its life is counted.
    pub obtained_at: Timestamp,
    /// When it ends; none if the provider does not tell.
    pub expires_at: Option<Timestamp>,
}

impl IdToken {
    /// The whole life of an ID token that came with this access token.
    pub(crate) fn life(&self, access: &Access) -> Duration {
        between(access.obtained_at, self.expires_at)
    }

    /// The life that it has left; none where the clock was put back since it came.
    #[must_use]
    pub fn ttl(&self, access: &Access, now: Timestamp) -> Duration {
        if clock_went_back(now, access.obtained_at) { Duration::ZERO } else { between(now, self.expires_at) }
    }
}

impl Slot {
    /// When the provider gave or refused it.
    fn written_at(&self) -> Timestamp {
        let refused_at = self.refused_until.map(|until| before(until, TARGET_REFUSAL_TTL));
        let obtained_at = self.access.as_ref().map(|access| access.obtained_at);
        obtained_at.max(refused_at).unwrap_or(Timestamp::from_millis(0))
    }
}

impl Grant {
    /// The place of a target's token.
    #[must_use]
    pub fn slot(&self, target: &Target) -> Option<&Slot> {
        self.tokens.iter().find(|slot| slot.target == *target)
    }

    /// The main access token.
    #[must_use]
    pub fn main(&self) -> Option<&Access> {
        self.slot(&Target::default())?.access.as_ref()
    }

    /// The whole life of an access token; [`Duration::MAX`] for one that does not tell and never could be
    /// refreshed, because there is nothing better than to use it until it is refused.
    #[must_use]
    pub fn life(&self, access: &Access) -> Duration {
        match access.expires_at {
            Some(end) => between(access.obtained_at, end),
            None if self.refresh.is_none() && self.status == Status::Active => Duration::MAX,
            None => self.assumed_life,
        }
    }

    /// The life that an access token has left; none where the clock was put back since it was obtained,
    /// because nothing can be said then.
    #[must_use]
    pub fn ttl(&self, access: &Access, now: Timestamp) -> Duration {
        match self.life(access) {
            Duration::MAX => Duration::MAX,
            _ if clock_went_back(now, access.obtained_at) => Duration::ZERO,
            life => life.saturating_sub(between(access.obtained_at, now)),
        }
    }

    /// Puts a token, or the refusal of one, into the place of its target. Where there are too many, the
    /// oldest goes.
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
