//! What somebody wants of a grant.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::grant::{Access, Grant};
use crate::handle::TokenHash;
use crate::parameters::{DEFAULT_MIN_TTL, FALLBACK_MIN_TTL};
use crate::scopes::Target;
use crate::status::{ErrorCause, Status};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// Somebody who waits for a token until this moment at the latest.
    Caller {
        /// When the caller wants an answer, whatever it is.
        gives_up_at: Timestamp,
    },
    /// The scheduler, which waits for nothing.
    Scheduler,
}

/// The life that a token must have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinTtl {
    /// Four minutes, or a third of its life if that is shorter; ten seconds while no refresh is possible.
    #[default]
    Default,
    /// This, and never less.
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

/// A demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Who asks.
    pub requester: Requester,
    /// Which token.
    pub credential: Credential,
    /// For what. The token may have more scopes, but exactly this audience.
    pub target: Target,
    /// How long the token must live.
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

    /// The target to refresh for: the main one where its token has the scopes anyway.
    #[must_use]
    pub fn target_in(&self, grant: &Grant) -> Target {
        if self.credential == Credential::IdToken {
            return Target::default();
        }
        let has_all = |access: &Access| self.target.scopes.is_subset(&access.scopes);
        let by_main = self.target.audience.is_none() && grant.main().is_none_or(has_all);
        if by_main { Target::default() } else { self.target.clone() }
    }

    /// The longest-lived token that serves this demand, apart from its life.
    pub(crate) fn best(&self, grant: &Grant, now: Timestamp) -> Option<Candidate> {
        if grant.status == Status::Error(ErrorCause::RolledBack) {
            // What was lost with the newer rows may have been a sign-out.
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
        // Of equals the first, which is the main one.
        let longer = |best: Candidate, next: Candidate| if next.ttl > best.ttl { next } else { best };
        grant.tokens.iter().enumerate().filter_map(serves).reduce(longer)
    }
}

/// A token that could be given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// The place of the access token that it is, or came with.
    pub(crate) slot: usize,
    /// Its whole life.
    pub(crate) life: Duration,
    /// What is left of it.
    pub(crate) ttl: Duration,
}

impl MinTtl {
    /// What a token of this whole life should have left.
    #[must_use]
    pub fn wanted(self, life: Duration) -> Duration {
        match self {
            Self::Default => DEFAULT_MIN_TTL.min(life / 3),
            Self::AtLeast(least) => least,
        }
    }

    /// What it must have left at least.
    #[must_use]
    pub fn required(self, life: Duration) -> Duration {
        match self {
            Self::Default => FALLBACK_MIN_TTL.min(life / 3),
            Self::AtLeast(least) => least,
        }
    }

    /// Whether a token of this whole life can have enough left when it arrives, and still some time later.
    #[must_use]
    pub fn is_reachable(self, life: Duration) -> bool {
        match self {
            Self::Default => true,
            Self::AtLeast(least) => least <= life / 10 * 9,
        }
    }
}
