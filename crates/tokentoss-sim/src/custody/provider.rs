//! A provider with rotation, grace windows and reuse detection. It counts in true time and knows nothing of the broker.

use std::collections::HashMap;
use std::time::Duration;

use tokentoss_custody::{ExpiredCause, Failure, Handle, Outcome, Renewed, Scopes, Target, TokenHash};

use super::Dice;

/// How a provider behaves, for one seed.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Whether each refresh spends the refresh token.
    pub rotates: bool,
    /// For how long in milliseconds a spent one is still answered with new tokens.
    pub grace: u64,
    /// Whether a later use ends the whole family.
    pub detects_reuse: bool,
    /// The life of access tokens in milliseconds.
    pub life: u64,
    /// Whether it tells that life.
    pub tells_life: bool,
}

impl Habits {
    /// The habits of a seed.
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            rotates: dice.chance(800),
            grace: dice.one_of(&[0, 2_000, 90_000]),
            detects_reuse: dice.chance(700),
            life: dice.one_of(&[60_000, 300_000, 3_600_000]),
            tells_life: dice.chance(800),
        }
    }
}

#[derive(Debug)]
struct Refresh {
    family: u64,
    spent_at: Option<u64>,
}

/// An access token as the provider knows it.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Of which sign-in.
    pub family: u64,
    /// When it ends, in true milliseconds.
    pub ends: u64,
    /// For what.
    pub target: Target,
}

/// The provider.
#[derive(Debug)]
pub struct Provider {
    /// Its habits.
    pub habits: Habits,
    /// The secrets that it accepts.
    pub secrets: Vec<u64>,
    /// The sign-in that lives; families before it do not.
    pub family: u64,
    dead: bool,
    /// Whether a family ended because a spent token came again.
    pub reuse_detected: bool,
    /// Whether a client with a wrong secret asked within the grace of a token, which only an administrator can help.
    pub shut_out: bool,
    count: u64,
    refresh: HashMap<TokenHash, Refresh>,
    access: HashMap<TokenHash, Issued>,
}

impl Provider {
    /// A provider nobody has signed in to.
    #[must_use]
    pub fn new(habits: Habits) -> Self {
        let (refresh, access) = (HashMap::new(), HashMap::new());
        Self {
            habits,
            secrets: vec![0],
            family: 0,
            dead: false,
            reuse_detected: false,
            shut_out: false,
            count: 0,
            refresh,
            access,
        }
    }

    /// The scopes that everybody consents to.
    #[must_use]
    pub fn scopes() -> Scopes {
        Scopes::read("openid files mail")
    }

    /// A new sign-in.
    pub fn sign_in(&mut self, now: u64) -> Renewed {
        self.family += 1;
        (self.dead, self.reuse_detected) = (false, false);
        let refresh = self.new_refresh();
        self.issue(now, Some(refresh), &Target::default())
    }

    /// Ends the grant, as a user does in the account's settings.
    pub fn end(&mut self) {
        self.dead = true;
    }

    /// Whether the provider would still refresh the present family.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.dead
    }

    /// An access token.
    #[must_use]
    pub fn issued(&self, token: TokenHash) -> Option<&Issued> {
        self.access.get(&token)
    }

    /// Answers a refresh request.
    pub fn refresh(&mut self, now: u64, token: TokenHash, secret: Option<u64>, target: &Target) -> Outcome {
        if secret.is_none_or(|secret| !self.secrets.contains(&secret)) {
            self.shut_out |= self.refresh.get(&token).is_some_and(|known| known.spent_at.is_some());
            return Outcome::InvalidClient;
        }
        let Habits { rotates, grace, detects_reuse, .. } = self.habits;
        let alive = !self.dead;
        let family = self.family;
        let Some(known) = self.refresh.get_mut(&token).filter(|known| alive && known.family == family) else {
            return Outcome::Ended(ExpiredCause::InvalidGrant);
        };
        if known.spent_at.is_some_and(|spent| now - spent > grace) {
            self.dead |= detects_reuse;
            self.reuse_detected = true;
            return Outcome::Ended(ExpiredCause::InvalidGrant);
        }
        if target.audience.as_deref() == Some("unknown") {
            return self.refused();
        }
        if rotates {
            known.spent_at.get_or_insert(now);
        }
        let next = rotates.then(|| self.new_refresh());
        Outcome::Renewed(self.issue(now, next, target))
    }

    /// What is said of a target that is not known, in one of the ways that providers have.
    fn refused(&self) -> Outcome {
        match self.count % 4 {
            0 => Outcome::ScopeRefused,
            1 => Outcome::Ended(ExpiredCause::ConsentRequired),
            2 => Outcome::Ended(ExpiredCause::InvalidGrant),
            _ => Outcome::failed(Failure::RequestRefused),
        }
    }

    fn new_refresh(&mut self) -> Handle {
        let handle = self.handle();
        self.refresh.insert(handle.hash, Refresh { family: self.family, spent_at: None });
        handle
    }

    fn issue(&mut self, now: u64, refresh: Option<Handle>, target: &Target) -> Renewed {
        let access = self.handle();
        let ends = now + self.habits.life;
        self.access.insert(access.hash, Issued { family: self.family, ends, target: target.clone() });
        let expires_in = self.habits.tells_life.then(|| Duration::from_millis(self.habits.life));
        let scopes = target.is_main().then(Self::scopes);
        Renewed { access, refresh, id_token: None, expires_in, scopes }
    }

    fn handle(&mut self) -> Handle {
        self.count += 1;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.count.to_be_bytes());
        Handle { hash: TokenHash(hash), cell: tokentoss_custody::CellId(u128::from(self.count)) }
    }
}

/// What a caller of the provider sees in place of an answer.
#[must_use]
pub fn spoilt(dice: &mut Dice) -> Failure {
    dice.one_of(&[Failure::AnswerLost, Failure::AnswerLost, Failure::ServerFailed, Failure::Unreadable])
}
