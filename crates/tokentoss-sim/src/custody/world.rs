//! The world: its clock, its events, and what happens to it from outside.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_custody::{
    ClientRevision, Context, Decision, Demand, Jitter, LeaseOwner, Revoker, SignIn, Status, Terms, TokenHash,
    confirm, connect, decide, reconnect, sign_out,
};

use super::callers::Caller;
use super::replica::Replica;
use super::store::Store;
use super::tasks::Request;
use super::{Dice, Faults, Habits, Provider};

/// When the faults end and the world gets time to recover, in milliseconds.
const CALM: u64 = 900_000;
/// When a seed ends.
const END: u64 = CALM + 3_600_000;
/// What the database's clock shows at the beginning.
const EPOCH: u64 = 1_800_000_000_000;
/// More events than any seed has that gets anywhere.
const LIMIT: u64 = 200_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Caller(usize),
    Tick(usize),
    Task(usize, u64),
    Arrive(u64),
    Answer(u64),
    TimeOut(u64),
    Restart(usize),
    Mischief,
    Calm,
}

/// What happened in a seed, beside what broke.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Requests that reached the provider.
    pub requests: u64,
    /// Tokens given out.
    pub served: u64,
    /// Refusals.
    pub refused: u64,
    /// Crashes.
    pub crashes: u64,
    /// Whether the grant was lost, although nobody ended it.
    pub lost: bool,
    /// Whether nothing may be lost with these faults and habits.
    pub is_safe: bool,
}

/// Everything.
pub struct World {
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    pub(super) provider: Provider,
    pub(super) store: Store,
    pub(super) replicas: [Replica; 3],
    pub(super) callers: Vec<Caller>,
    pub(super) requests: HashMap<u64, Request>,
    pub(super) sends: HashMap<u128, usize>,
    pub(super) now: u64,
    pub(super) put_back: u64,
    pub(super) disturbed: Option<u64>,
    pub(super) secrets: Vec<u64>,
    pub(super) revision: ClientRevision,
    pub(super) signed_out: bool,
    /// Whether an administrator confirmed a row that may be of an earlier sign-in.
    pub(super) brought_back: bool,
    pub(super) latest: Option<TokenHash>,
    pub(super) tally: Tally,
    offset: i64,
    ended_by_user: bool,
    failed_over: bool,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let faults = Faults::draw(&mut dice);
        let mut provider = Provider::new(Habits::draw(&mut dice));
        let terms = terms_of(ClientRevision(1), 0);
        let sign_in = sign_in_of(&mut provider, 0);
        let row = connect(Timestamp::from_millis(EPOCH), &sign_in, Default::default(), &terms);
        let mut world = Self {
            dice,
            faults,
            provider,
            store: Store::new(row),
            replicas: std::array::from_fn(|_| Replica::new()),
            callers: Vec::new(),
            requests: HashMap::new(),
            sends: HashMap::new(),
            now: 0,
            put_back: 0,
            disturbed: None,
            secrets: vec![0],
            revision: ClientRevision(1),
            signed_out: false,
            brought_back: false,
            latest: None,
            tally: Tally::default(),
            offset: 0,
            ended_by_user: false,
            failed_over: false,
            events: BinaryHeap::new(),
            count: 0,
        };
        let provider = world.provider.habits;
        world.tally.is_safe = !provider.rotates || (provider.grace >= 90_000 && faults.pause >= 100_000);
        (0..3).for_each(|replica| world.at(0, Event::Tick(replica)));
        (0..40).for_each(|_| world.draw_caller(CALM));
        for _ in 0..world.dice.between(0, 8) {
            let time = world.dice.between(0, CALM);
            world.at(time, Event::Mischief);
        }
        world.at(CALM, Event::Calm);
        world
    }

    /// Plays the seed.
    ///
    /// # Errors
    /// What broke, in words.
    pub fn run(mut self) -> Result<Tally, String> {
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > END {
                break;
            }
            self.now = self.now.max(time);
            if self.count > LIMIT {
                return Err(format!("livelock: {event:?} after {LIMIT} events at {time} ms"));
            }
            self.happen(event).map_err(|broken| format!("{broken} at {time} ms, {:?}", self.store.row()))?;
        }
        let row = self.store.row();
        self.tally.lost = matches!(row.status, Status::Expired(_)) && !self.ended_by_user;
        if self.tally.lost && self.tally.is_safe && !self.failed_over {
            return Err(format!("lost: {row:?} with {:?} and {:?}", self.provider.habits, self.faults));
        }
        if row.status == Status::Active && !self.latest_is_fresh() {
            return Err(format!("not recovered: {row:?}"));
        }
        Ok(self.tally)
    }

    /// Whether the last caller got its token.
    fn latest_is_fresh(&self) -> bool {
        self.latest
            .and_then(|token| self.provider.issued(token))
            .is_some_and(|issued| issued.ends + 120_000 > END)
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Caller(caller) => return self.ask(caller),
            Event::Tick(replica) => self.tick(replica),
            Event::Task(replica, life) if self.replicas[replica].life == life => return self.work(replica),
            Event::Task(..) => {}
            Event::Arrive(request) => self.arrive(request),
            Event::Answer(request) => self.answer(request),
            Event::TimeOut(request) => self.time_out(request),
            Event::Restart(replica) => {
                self.replicas[replica].is_up = true;
                self.at(self.now, Event::Tick(replica));
            }
            Event::Mischief => self.mischief(),
            Event::Calm => self.calm(),
        }
        Ok(())
    }

    pub(super) fn at(&mut self, time: u64, event: Event) {
        if let Event::Tick(replica) = event {
            self.replicas[replica].ticks_at = time;
        }
        self.count += 1;
        self.events.push(Reverse((time, self.count, event)));
    }

    /// The database's clock.
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::from_millis((EPOCH + self.now).saturating_add_signed(self.offset))
    }

    pub(super) fn context(&self, replica: usize) -> Context {
        Context { known: self.replicas[replica].known, client_revision: self.revision }
    }

    pub(super) fn terms(&mut self, revision: ClientRevision) -> Terms {
        terms_of(revision, u16::try_from(self.dice.between(0, 65_535)).expect("16 bits"))
    }

    pub(super) fn owner(&mut self) -> LeaseOwner {
        LeaseOwner(u128::from(self.dice.between(0, u64::MAX - 1)))
    }

    fn draw_caller(&mut self, end: u64) {
        let time = self.dice.between(0, end);
        let caller = Caller::draw(&mut self.dice, time);
        self.callers.push(caller);
        self.at(time, Event::Caller(self.callers.len() - 1));
    }

    fn mischief(&mut self) {
        let faults = self.faults;
        match self.dice.between(0, 7) {
            0 if faults.jumps && self.faults.strikes(self.now, &mut self.dice) => {
                let jump = self.dice.one_of(&[1_000, 30_000, 600_000, 86_400_000]);
                if self.dice.chance(500) {
                    self.offset += i64::try_from(jump).expect("a day");
                    self.disturbed = Some(self.now);
                } else {
                    self.offset -= i64::try_from(jump).expect("a day");
                    self.put_back += jump;
                }
            }
            1 if faults.failover => self.fail_over(),
            2 if faults.endings => {
                let by = self.dice.one_of(&[Revoker::User, Revoker::Admin]);
                if let Some(update) = sign_out(self.store.row(), by) {
                    self.signed_out = true;
                    self.write(&update);
                }
            }
            3 if faults.endings => {
                self.provider.end();
                self.ended_by_user = true;
            }
            4 if faults.secrets => {
                let next = self.secrets.iter().max().map_or(0, |secret| secret + 1);
                if self.dice.chance(500) {
                    self.secrets.push(next);
                    self.revision.0 += 1;
                }
                self.provider.secrets = vec![next];
            }
            5 => self.sign_in(),
            6 if faults.failover => {
                if let Some(update) = confirm(self.store.row()) {
                    // An administrator may well bring back what a user ended, if the database lost that.
                    (self.signed_out, self.brought_back) = (false, true);
                    self.write(&update);
                }
            }
            7 if self.faults.strikes(self.now, &mut self.dice) => {
                self.store.down_until = self.now + self.dice.between(1, 20_000);
            }
            _ => {}
        }
    }

    fn write(&mut self, update: &tokentoss_custody::Update) {
        let replica = usize::try_from(self.dice.between(0, 2)).expect("a replica");
        if let Some(version) = self.store.update(update) {
            self.replicas[replica].wrote(version);
        }
        self.wake();
    }

    fn sign_in(&mut self) {
        let sign_in = sign_in_of(&mut self.provider, self.now);
        let terms = self.terms(self.revision);
        let update = reconnect(self.clock(), self.store.row(), &sign_in, Default::default(), &terms);
        (self.signed_out, self.ended_by_user, self.brought_back) = (false, false, false);
        self.write(&update);
    }

    /// An old row comes back. All replicas lose their connections and compare their journals before one of them serves.
    fn fail_over(&mut self) {
        self.failed_over = true;
        self.disturbed = Some(self.now);
        let writes = self.dice.between(1, 3);
        self.store.fail_over(usize::try_from(writes).expect("few"));
        for replica in 0..3 {
            let context = self.context(replica);
            let (clock, demand) = (self.clock(), Demand::of_scheduler());
            if let Decision::Correct(update) = decide(clock, self.store.row(), &demand, &context)
                && let Some(version) = self.store.update(&update)
            {
                self.replicas[replica].wrote(version);
            }
        }
    }

    /// No faults from now on; what needs a person is done.
    fn calm(&mut self) {
        self.faults.end();
        self.secrets = self.provider.secrets.clone();
        self.revision.0 += 1;
        if matches!(self.store.row().status, Status::Error(tokentoss_custody::ErrorCause::RolledBack)) {
            self.sign_in();
        }
        let mut time = self.now;
        while time + 60_000 < END {
            time += 60_000;
            self.callers.push(Caller::usual(time));
            self.at(time, Event::Caller(self.callers.len() - 1));
        }
        self.wake();
    }

    /// Lets all schedulers look soon.
    pub(super) fn wake(&mut self) {
        for replica in 0..3 {
            if self.replicas[replica].is_up && self.replicas[replica].ticks_at > self.now + 1_000 {
                self.at(self.now + 1_000, Event::Tick(replica));
            }
        }
    }
}

fn terms_of(client_revision: ClientRevision, jitter: u16) -> Terms {
    Terms { forgets_after: Duration::from_secs(86_400), client_revision, jitter: Jitter(jitter) }
}

fn sign_in_of(provider: &mut Provider, now: u64) -> SignIn {
    let tokens = provider.sign_in(now);
    let assumed_life = Duration::from_millis(provider.habits.life);
    SignIn { tokens, requested: Provider::scopes(), assumed_life }
}
