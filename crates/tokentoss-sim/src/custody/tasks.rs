//! What replicas do: each step of a refresh, with a crash point before and after it, and the network in between.

use tokentoss_custody::{
    Attempt, AttemptReport, ClientRevision, Decision, Demand, Failure, Outcome, Settlement, Step, Target,
    TokenHash, decide, settle,
};

use super::replica::{Entry, Task};
use super::world::{Event, World};

/// A request on its way.
#[derive(Debug)]
pub(super) struct Request {
    replica: usize,
    life: u64,
    owner: u128,
    token: TokenHash,
    secret: Option<u64>,
    target: Target,
    /// When the client gives up, or the answer comes.
    until: u64,
    answer: Option<Outcome>,
}

impl World {
    /// The scheduler of a replica looks at the row.
    pub(super) fn tick(&mut self, replica: usize) {
        if !self.replicas[replica].is_up || self.replicas[replica].ticks_at != self.now {
            return;
        }
        let mut pause = 1_000;
        if self.replicas[replica].task.is_none() {
            if let Some(entry) = self.replicas[replica].journal.first().cloned() {
                self.begin(replica, Task::Settlement(entry));
            } else if let Some(row) = self.store.read(self.now).cloned() {
                let context = self.context(replica);
                match decide(self.clock(), &row, &Demand::for_scheduler(), &context) {
                    Decision::Refresh(claim) => self.begin(replica, Task::Claim(claim)),
                    Decision::Correct(update) => {
                        if let Some(version) = self.store.update(&update) {
                            self.replicas[replica].wrote(version);
                        }
                    }
                    _ => {
                        let rest = row.rest(self.clock(), context.client_revision).as_millis();
                        pause = u64::try_from(rest).expect("an hour").clamp(1_000, 60_000);
                    }
                }
            }
        }
        self.at(self.now + pause, Event::Tick(replica));
    }

    pub(super) fn begin(&mut self, replica: usize, task: Task) {
        self.replicas[replica].task = Some(task);
        self.soon(replica, 50);
    }

    fn soon(&mut self, replica: usize, at_most: u64) {
        let time = self.now + self.dice.between(0, at_most);
        self.at(time, Event::Task(replica, self.replicas[replica].life));
    }

    fn crashes(&mut self, replica: usize) -> bool {
        let crashes = self.faults.strikes(self.now, &mut self.dice);
        if crashes {
            self.tally.crashes += 1;
            self.replicas[replica].crash();
            let time = self.now + self.dice.between(500, 40_000);
            self.at(time, Event::Restart(replica));
        }
        crashes
    }

    /// One step of a replica's task.
    pub(super) fn work(&mut self, replica: usize) -> Result<(), String> {
        if matches!(self.replicas[replica].task, None | Some(Task::Await(..))) || self.crashes(replica) {
            return Ok(());
        }
        let Some(task) = self.replicas[replica].task.take() else { return Ok(()) };
        match task {
            Task::Claim(claim) => {
                self.replicas[replica].began = self.now;
                self.replicas[replica].revision = self.revision;
                self.replicas[replica].secrets = self.secrets.clone();
                let owner = self.owner();
                let is_up = self.store.read(self.now).is_some();
                let held = is_up.then(|| self.store.claim(self.clock(), &claim, owner)).flatten();
                if let Some(held) = held {
                    self.replicas[replica].task = Some(Task::Begin(Attempt::new(held, self.secrets.len())));
                    // A process may stall right here.
                    let stall = if self.faults.strikes(self.now, &mut self.dice) { 15_000 } else { 1_000 };
                    self.soon(replica, stall);
                }
            }
            Task::Begin(attempt) => {
                let step = attempt.begin(self.elapsed(replica));
                self.perform(replica, attempt, step)?;
            }
            Task::Answered(mut attempt, outcome) => {
                let step = attempt.answered(self.elapsed(replica), outcome);
                self.perform(replica, attempt, step)?;
            }
            Task::Await(..) => {}
            Task::Settlement(entry) => self.read_and_settle(replica, entry),
            Task::Commit(entry, update) => match self.store.read(self.now).is_some() {
                true => match self.store.update(&update) {
                    Some(version) => {
                        self.replicas[replica].wrote(version);
                        self.finish(replica, &entry);
                    }
                    None => self.begin(replica, Task::Settlement(entry)),
                },
                false => self.begin(replica, Task::Settlement(entry)),
            },
        }
        self.crashes(replica);
        Ok(())
    }

    fn elapsed(&self, replica: usize) -> std::time::Duration {
        std::time::Duration::from_millis(self.now - self.replicas[replica].began)
    }

    fn perform(&mut self, replica: usize, attempt: Attempt, step: Step) -> Result<(), String> {
        match step {
            Step::Settle(report) => {
                let entry = Entry { report: *report, began: Some(self.replicas[replica].began) };
                if matches!(entry.report.outcome, Outcome::Renewed(_) | Outcome::RotatedOnly(_)) {
                    self.replicas[replica].journal.push(Entry { began: None, ..entry.clone() });
                }
                self.begin(replica, Task::Settlement(entry));
            }
            Step::Send { secret, timeout } => {
                let timeout = u64::try_from(timeout.as_millis()).expect("seconds");
                self.send(replica, attempt, self.replicas[replica].secrets.get(secret).copied(), timeout)?;
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        replica: usize,
        attempt: Attempt,
        secret: Option<u64>,
        timeout: u64,
    ) -> Result<(), String> {
        let held = attempt.held();
        let (owner, token) = (held.owner.0, held.claim.refresh.hash);
        let calm = self.disturbed.is_none_or(|time| self.now - time > 60_000);
        if calm && self.requests.values().any(|other| other.token == token && other.until > self.now) {
            return Err("two requests at once".into());
        }
        let sends = self.sends.entry(owner).or_default();
        *sends += 1;
        if *sends > self.replicas[replica].secrets.len() + 1 {
            return Err(format!("{sends} requests under one lease"));
        }
        let number = self.sent;
        self.sent += 1;
        let life = self.replicas[replica].life;
        let target = held.claim.target.clone();
        let until = self.now + timeout;
        let answer = None;
        self.requests.insert(number, Request { replica, life, owner, token, secret, target, until, answer });
        self.replicas[replica].task = Some(Task::Await(attempt, number));
        self.at(until, Event::TimeOut(number));
        if self.faults.strikes(self.now, &mut self.dice) {
            if self.dice.chance(500) {
                self.replied(number, Outcome::failed(Failure::NotSent));
            }
            return Ok(());
        }
        let time = self.now + self.dice.between(5, 2_000);
        self.at(time, Event::Arrive(number));
        Ok(())
    }

    /// A request reaches the provider.
    pub(super) fn arrive(&mut self, number: u64) {
        let Some(request) = self.requests.get(&number) else { return };
        self.tally.requests += 1;
        let (token, secret, target) = (request.token, request.secret, request.target.clone());
        let overloaded = self.faults.strikes(self.now, &mut self.dice) && self.dice.chance(300);
        if overloaded {
            let seconds = self.dice.one_of(&[None, Some(5), Some(120)]).map(std::time::Duration::from_secs);
            self.reply(number, Outcome::Failed { failure: Failure::Overloaded, retry_after: seconds }, 2_000);
            return;
        }
        let outcome = self.provider.refresh(self.now, token, secret, &target);
        if !self.faults.strikes(self.now, &mut self.dice) {
            self.reply(number, outcome, 2_000);
            return;
        }
        match (self.dice.between(0, 3), outcome) {
            // Slow, perhaps too slow.
            (0, outcome) => self.reply(number, outcome, 30_000),
            (1, Outcome::Renewed(tokens)) if tokens.refresh.is_some() => {
                let refresh = tokens.refresh.expect("seen above");
                self.reply(number, Outcome::RotatedOnly(refresh), 2_000);
            }
            (2, _) => {}
            _ => {
                let failure = super::provider::spoilt(&mut self.dice);
                self.reply(number, Outcome::failed(failure), 2_000);
            }
        }
    }

    fn reply(&mut self, number: u64, outcome: Outcome, at_most: u64) {
        if let Some(request) = self.requests.get_mut(&number) {
            request.answer = Some(outcome);
        }
        let time = self.now + self.dice.between(5, at_most);
        self.at(time, Event::Answer(number));
    }

    /// The answer reaches the client.
    pub(super) fn answer(&mut self, number: u64) {
        if let Some(outcome) = self.requests.get_mut(&number).and_then(|request| request.answer.take()) {
            self.replied(number, outcome);
        }
    }

    /// The client has waited long enough.
    pub(super) fn time_out(&mut self, number: u64) {
        self.replied(number, Outcome::failed(Failure::AnswerLost));
    }

    fn replied(&mut self, number: u64, outcome: Outcome) {
        let Some(request) = self.requests.get_mut(&number) else { return };
        let replica = request.replica;
        let waits = matches!(self.replicas[replica].task, Some(Task::Await(_, awaited)) if awaited == number);
        if !waits || self.replicas[replica].life != request.life {
            return;
        }
        request.until = self.now;
        if let Some(Task::Await(attempt, _)) = self.replicas[replica].task.take() {
            self.begin(replica, Task::Answered(attempt, outcome));
        }
    }

    fn read_and_settle(&mut self, replica: usize, entry: Entry) {
        let Some(row) = self.store.read(self.now).cloned() else {
            self.replicas[replica].task = Some(Task::Settlement(entry));
            self.soon(replica, 1_000);
            return;
        };
        let revision: ClientRevision = self.replicas[replica].revision;
        let parameters = self.parameters(revision);
        let clock = self.clock();
        let claimed_at = entry.report.held.claim.at.as_millis();
        let age = match entry.began {
            Some(began) => self.now - began,
            None => clock.as_millis().saturating_sub(claimed_at),
        };
        match settle(clock, std::time::Duration::from_millis(age), &row, &entry.report, &parameters) {
            Settlement::Update(update) => self.begin(replica, Task::Commit(entry, update)),
            Settlement::Revoke(tokens) => {
                self.store.queue.extend(tokens);
                self.finish(replica, &entry);
            }
            Settlement::Nothing => self.finish(replica, &entry),
        }
    }

    fn finish(&mut self, replica: usize, entry: &Entry) {
        let AttemptReport { held, .. } = &entry.report;
        self.requests.retain(|_, request| request.owner != held.owner.0 || request.until > self.now);
        self.replicas[replica].settled(held.owner);
        self.wake();
    }
}
