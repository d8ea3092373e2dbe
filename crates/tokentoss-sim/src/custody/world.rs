//! The world: its clock, its events, and what happens to it from outside.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_custody::{
    ClientRevision, Context, Jitter, LeaseOwner, SettleParameters, SignIn, Status, TokenHash, connect,
};

use super::callers::Caller;
use super::replica::Replica;
use super::store::Store;
use super::tasks::Request;
use super::{Dice, Faults, Habits, Provider};

/// When the faults end and the world gets time to recover, in milliseconds.
const CALM: u64 = 900_000;
/// When a seed ends.
pub(super) const END: u64 = CALM + 3_600_000;
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
    pub(super) sent: u64,
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
    pub(super) offset: i64,
    pub(super) ended_by_user: bool,
    pub(super) failed_over: bool,
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
        let parameters = parameters_of(ClientRevision(1), 0);
        let sign_in = sign_in_of(&mut provider, 0);
        let row = connect(Timestamp::from_millis(EPOCH), &sign_in, Default::default(), &parameters);
        let mut world = Self {
            dice,
            faults,
            provider,
            store: Store::new(row),
            replicas: std::array::from_fn(|_| Replica::new()),
            callers: Vec::new(),
            requests: HashMap::new(),
            sends: HashMap::new(),
            sent: 0,
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
        if self.tally.lost && self.tally.is_safe && !self.failed_over && !self.provider.shut_out {
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

    pub(super) fn parameters(&mut self, revision: ClientRevision) -> SettleParameters {
        parameters_of(revision, u16::try_from(self.dice.between(0, 65_535)).expect("16 bits"))
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

    /// Lets all schedulers look soon.
    pub(super) fn wake(&mut self) {
        for replica in 0..3 {
            if self.replicas[replica].is_up && self.replicas[replica].ticks_at > self.now + 1_000 {
                self.at(self.now + 1_000, Event::Tick(replica));
            }
        }
    }
}

fn parameters_of(client_revision: ClientRevision, jitter: u16) -> SettleParameters {
    SettleParameters { forgets_after: Duration::from_secs(86_400), client_revision, jitter: Jitter(jitter) }
}

pub(super) fn sign_in_of(provider: &mut Provider, now: u64) -> SignIn {
    let tokens = provider.sign_in(now);
    let assumed_life = Duration::from_millis(provider.habits.life);
    SignIn { tokens, requested: Provider::scopes(), assumed_life }
}
