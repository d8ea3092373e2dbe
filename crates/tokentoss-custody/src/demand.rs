//! A demand for a token of a grant.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::grant::{Access, Grant};
use crate::handle::TokenHash;
use crate::parameters::{DEFAULT_MIN_TTL, FALLBACK_MIN_TTL};
use crate::scopes::Target;
use crate::status::{ErrorCause, Status};

/// Who requests the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// A caller that waits for a token until this time.
    Caller {
        /// The time at which the caller needs an answer.
        gives_up_at: Timestamp,
    },
    /// The scheduler, which does not wait.
    Scheduler,
}

/// The remaining lifetime that a token must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinTtl {
    /// Four minutes, or a third of its lifetime if that is shorter; ten seconds while no refresh is possible.
    #[default]
    Default,
    /// At least this duration.
    AtLeast(Duration),
}

/// Which token is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    /// The access token.
    #[default]
    AccessToken,
    /// The ID token of the main target, which [`Demand::min_ttl`] and [`Demand::rejected`] are about then.
    IdToken,
}

/// A demand for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Who requests the token.
    pub requester: Requester,
    /// Which token.
    pub credential: Credential,
    /// The target. The token may have more scopes, but must have exactly this audience.
    pub target: Target,
    /// The required remaining lifetime.
    pub min_ttl: MinTtl,
    /// A token that a resource refused; it is not given out again to this caller, and a refresh follows only
    /// if it is still the current one.
    pub rejected: Option<TokenHash>,
}

impl Demand {
    /// The scheduler's demand.
    #[must_use]
    pub fn for_scheduler() -> Self {
        Self {
            requester: Requester::Scheduler,
            credential: Credential::AccessToken,
            target: Target::default(),
            min_ttl: MinTtl::Default,
            rejected: None,
        }
    }

    /// The target to refresh: the main one if its token has the scopes.
    #[must_use]
    pub fn target_in(&self, grant: &Grant) -> Target {
        if self.credential == Credential::IdToken {
            return Target::default();
        }
        let has_all = |access: &Access| self.target.scopes.is_subset(&access.scopes);
        let by_main = self.target.audience.is_none() && grant.main().is_none_or(has_all);
        if by_main { Target::default() } else { self.target.clone() }
    }

    /// The token with the longest remaining lifetime among those that match target and credential.
    pub(crate) fn best(&self, grant: &Grant, now: Timestamp) -> Option<Candidate> {
        if grant.status == Status::Error(ErrorCause::RolledBack) {
            // The lost newer rows may contain a sign-out.
            return None;
        }
        let serves = |(index, slot): (usize, &crate::grant::Slot)| {
            let access = slot.access.as_ref()?;
            if self.credential == Credential::IdToken {
                let token = grant.id_token.filter(|token| self.rejected != Some(token.handle.hash))?;
                let (life, ttl) = (token.life(access), token.ttl(access, now));
                return slot.target.is_main().then_some(Candidate { slot: index, life, ttl });
            }
            let fits = slot.target.audience == self.target.audience
                && self.target.scopes.is_subset(&access.scopes)
                && self.rejected != Some(access.handle.hash);
            fits.then(|| Candidate { slot: index, life: grant.life(access), ttl: grant.ttl(access, now) })
        };
        // Among equals the first, which is the main one.
        let longer = |best: Candidate, next: Candidate| if next.ttl > best.ttl { next } else { best };
        grant.tokens.iter().enumerate().filter_map(serves).reduce(longer)
    }
}

/// A token that may be issued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// The index of its slot, or of the access token that it came with.
    pub(crate) slot: usize,
    /// Its whole lifetime.
    pub(crate) life: Duration,
    /// Its remaining lifetime.
    pub(crate) ttl: Duration,
}

impl MinTtl {
    /// The remaining lifetime that a token with this whole lifetime should have.
    #[must_use]
    pub fn wanted(self, life: Duration) -> Duration {
        match self {
            Self::Default => DEFAULT_MIN_TTL.min(life / 3),
            Self::AtLeast(least) => least,
        }
    }

    /// The remaining lifetime that it must have at least.
    #[must_use]
    pub fn required(self, life: Duration) -> Duration {
        match self {
            Self::Default => FALLBACK_MIN_TTL.min(life / 3),
            Self::AtLeast(least) => least,
        }
    }

    /// Whether a new token with this whole lifetime has enough remaining lifetime for some time.
    #[must_use]
    pub fn is_reachable(self, life: Duration) -> bool {
        match self {
            Self::Default => true,
            Self::AtLeast(least) => least <= life / 10 * 9,
        }
    }
}
