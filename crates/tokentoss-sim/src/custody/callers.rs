//! Callers, and what must be true of whatever they get.

use std::time::Duration;

use tokentoss_custody::{
    Action, Credential, Decision, Demand, MinTtl, Requester, Scopes, Target, TokenHash, decide,
};

use super::Dice;
use super::replica::Task;
use super::world::{Event, World};

/// How long a caller waits, in milliseconds.
const PATIENCE: u64 = 25_000;
/// More looks at the row than a caller can need in that time.
const LOOKS: u32 = 700;

/// Somebody who wants a token.
#[derive(Debug)]
pub(super) struct Caller {
    replica: usize,
    target: Target,
    min_ttl: MinTtl,
    rejects: bool,
    rejected: Option<TokenHash>,
    gives_up: u64,
    looks: u32,
}

impl Caller {
    /// One who comes at this time and asks for anything.
    pub(super) fn draw(dice: &mut Dice, time: u64) -> Self {
        let audience = dice.one_of(&[None, None, None, Some("storage"), Some("unknown")]).map(String::from);
        let scopes = Scopes::read(dice.one_of(&["", "", "files", "files mail", "admin"]));
        let min_ttl = dice.one_of(&[
            MinTtl::Default,
            MinTtl::Default,
            MinTtl::AtLeast(Duration::from_secs(40)),
            MinTtl::AtLeast(Duration::from_secs(250)),
            MinTtl::AtLeast(Duration::from_secs(7200)),
        ]);
        Self {
            replica: usize::try_from(dice.between(0, 2)).expect("a replica"),
            target: Target { scopes, audience },
            min_ttl,
            rejects: dice.chance(200),
            ..Self::usual(time)
        }
    }

    /// One who comes at this time and asks for the usual.
    pub(super) fn usual(time: u64) -> Self {
        let (target, min_ttl, gives_up) = (Target::default(), MinTtl::Default, time + PATIENCE);
        Self { replica: 0, target, min_ttl, rejects: false, rejected: None, gives_up, looks: 0 }
    }
}

impl World {
    /// A caller looks at the row and does what it is told.
    pub(super) fn ask(&mut self, number: usize) -> Result<(), String> {
        let latest = self.latest;
        let caller = &mut self.callers[number];
        caller.looks += 1;
        if caller.rejects {
            caller.rejects = false;
            caller.rejected = latest;
        }
        let (replica, gives_up, looks) = (caller.replica, caller.gives_up, caller.looks);
        let left = gives_up.saturating_sub(self.now);
        if looks > LOOKS || self.now > gives_up + 2_000 {
            return Err(format!("caller {number} waits for ever"));
        }
        let row = self.store.read(self.now).filter(|_| self.replicas[replica].is_up).cloned();
        let Some(row) = row else {
            self.callers[number].replica = (replica + 1) % 3;
            self.later(number, left, 500);
            return Ok(());
        };
        let clock = self.clock();
        let demand = self.demand(number, left);
        match decide(clock, &row, &demand, &self.context(replica)) {
            Decision::Serve { slot, is_last_resort } => {
                let access = row.tokens[slot].access.as_ref().ok_or("served an empty slot")?;
                self.check(&demand, access.handle.hash, is_last_resort)?;
                self.latest = Some(access.handle.hash);
                self.store.used(clock);
                self.tally.served += 1;
            }
            Decision::Refresh(claim) => {
                if self.replicas[replica].task.is_none() {
                    self.begin(replica, Task::Claim(claim));
                }
                self.later(number, left, 300);
            }
            Decision::Wait { until } if left == 0 => {
                return Err(format!("waits until {until:?} after it gave up"));
            }
            Decision::Wait { .. } => self.later(number, left, 500),
            Decision::Correct(update) => {
                if let Some(version) = self.store.update(&update) {
                    self.replicas[replica].wrote(version);
                }
                self.later(number, left + 1, 1);
            }
            Decision::Refuse(refusal) => {
                let is_retry = refusal.problem.action() == Action::Retry;
                if is_retry != refusal.retry_after.is_some() {
                    return Err(format!("neither a time nor an action: {refusal:?}"));
                }
                self.tally.refused += 1;
            }
            Decision::Rest { .. } => return Err("a caller was told to rest".into()),
        }
        Ok(())
    }

    fn demand(&self, number: usize, left: u64) -> Demand {
        let caller = &self.callers[number];
        Demand {
            requester: Requester::Caller { gives_up_at: self.clock() + Duration::from_millis(left) },
            credential: Credential::AccessToken,
            target: caller.target.clone(),
            min_ttl: caller.min_ttl,
            rejected: caller.rejected,
        }
    }

    fn later(&mut self, number: usize, left: u64, pause: u64) {
        if left > 0 {
            let time = self.now + self.dice.between(1, pause);
            self.at(time, Event::Caller(number));
        }
    }

    fn check(&self, demand: &Demand, token: TokenHash, is_last_resort: bool) -> Result<(), String> {
        let issued = self.provider.issued(token).ok_or("served an unknown token")?;
        // Nothing in the row tells by how much the clock was put back.
        let ttl = Duration::from_millis((issued.ends + self.put_back).saturating_sub(self.now));
        if self.signed_out || (issued.family != self.provider.family && !self.brought_back) {
            return Err("served after the sign-out".into());
        }
        if ttl.is_zero() {
            return Err("served an expired token".into());
        }
        let life = Duration::from_millis(self.provider.habits.life);
        let least = if is_last_resort { demand.min_ttl.required(life) } else { demand.min_ttl.wanted(life) };
        if ttl < least {
            return Err(format!("served {ttl:?} in place of {least:?}"));
        }
        if demand.rejected == Some(token) {
            return Err("served the rejected token".into());
        }
        let scopes = if issued.target.scopes.is_empty() {
            super::Provider::scopes()
        } else {
            issued.target.scopes.clone()
        };
        if issued.target.audience != demand.target.audience || !demand.target.scopes.is_subset(&scopes) {
            return Err(format!("served {:?} for {:?}", issued.target, demand.target));
        }
        Ok(())
    }
}
