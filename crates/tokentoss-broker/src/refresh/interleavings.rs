//! Model checking of the single flight with random schedules: callers of two processes, which may be
//! cancelled at any time, a refresh, a sign-out, a failing database and a failing provider.
//!
//! The test runs the code of [`SingleFlight`] and the state machine of `tokentoss-custody`. The row and the
//! provider are simulated, and tasks can switch before and after each of their steps. No caller has a
//! time-out while its process refreshes, so a missed notification shows up as a deadlock.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use shuttle::rand::{Rng, thread_rng};
use tokentoss_core::Timestamp;
use tokentoss_custody::{
    Attempt, AttemptReport, CellId, Claim, ClientRevision, Context, Credential, Decision, Demand, Failure,
    Grant, Handle, HeldLease, Jitter, LeaseOwner, MinTtl, Outcome, Problem, Renewed, Requester, Revoker,
    Scopes, SettleParameters, Settlement, SignIn, Step, Target, TokenHash, Version, connect, decide, settle,
    sign_out,
};

use super::single_flight::{LEASE_POLL_INTERVAL, Observation, RefreshPermit, SingleFlight, TokenWaiter};

/// The number of random schedules; `TOKENTOSS_ORDERS` raises it.
const ORDERS: usize = 500;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const PARAMETERS: SettleParameters = SettleParameters {
    forgets_after: Duration::from_secs(86_400),
    client_revision: ClientRevision(1),
    jitter: Jitter(0),
};

fn token(number: u8) -> Handle {
    Handle { hash: TokenHash([number; 32]), cell: CellId(u128::from(number)) }
}

fn tokens(access: u8, refresh: u8) -> Renewed {
    let refresh = Some(token(refresh));
    Renewed { access: token(access), refresh, id_token: None, expires_in: Some(HOUR), scopes: None }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    /// The provider is overloaded.
    provider: bool,
    /// The first claims fail.
    claims: u8,
    /// Callers leave.
    leaves: bool,
    /// The user signs out.
    sign_out: bool,
}

/// Database and provider.
#[derive(Debug)]
struct Truth {
    row: Grant,
    faults: Faults,
    owners: u128,
    holders: HashSet<LeaseOwner>,
    sent: Vec<TokenHash>,
    on_its_way: bool,
    queue: Vec<Handle>,
}

#[derive(Clone, Debug)]
struct World(Arc<Mutex<Truth>>);

#[derive(Debug, PartialEq, Eq)]
enum No {
    Refused(Problem),
    Database,
}

impl World {
    /// A row whose access token ended an hour ago.
    fn new(faults: Faults) -> Self {
        let sign_in = SignIn { tokens: tokens(1, 2), requested: Scopes::read("files"), assumed_life: HOUR };
        let long_ago = Timestamp::from_millis(NOW.as_millis() - 7_200_000);
        let row = connect(long_ago, &sign_in, Version::default(), &PARAMETERS);
        let (owners, sent, queue) = (0, Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Truth {
            row,
            faults,
            owners,
            holders: HashSet::new(),
            sent,
            on_its_way: false,
            queue,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One statement or one request; other tasks may run before and after it.
    async fn step<T>(&self, step: impl FnOnce(&mut Truth) -> T) -> T {
        yield_now().await;
        let result = step(&mut self.lock());
        yield_now().await;
        result
    }

    /// The refresh task, with the real state machine.
    async fn refresh(&self, held: HeldLease) {
        let mut attempt = Attempt::new(held.clone(), 1);
        let mut step = attempt.begin(Duration::ZERO);
        let report = loop {
            match step {
                Step::Settle(report) => break report,
                Step::Send { .. } => {
                    self.step(|truth| truth.begin(&held)).await;
                    let outcome = self.step(|truth| truth.answer(&held)).await;
                    step = attempt.answered(Duration::ZERO, outcome);
                }
            }
        };
        while !self.write(&report).await {}
    }

    async fn write(&self, report: &AttemptReport) -> bool {
        let row = self.step(|truth| truth.row.clone()).await;
        self.step(|truth| match settle(NOW, Duration::ZERO, &row, report, &PARAMETERS) {
            Settlement::Update(update) => update.apply(&mut truth.row),
            Settlement::Revoke(tokens) => {
                truth.queue.extend(tokens);
                true
            }
            Settlement::Nothing => true,
        })
        .await
    }
}

impl Truth {
    fn claim(&mut self, claim: &Claim) -> Result<Option<HeldLease>, No> {
        if let Some(left) = self.faults.claims.checked_sub(1) {
            self.faults.claims = left;
            return Err(No::Database);
        }
        self.owners += 1;
        let owner = LeaseOwner(self.owners);
        Ok(claim.apply(NOW, owner, &mut self.row))
    }

    /// The request reaches the provider.
    fn begin(&mut self, held: &HeldLease) {
        assert!(!self.on_its_way, "two requests at once");
        assert!(self.holders.insert(held.owner), "two requests under one lease");
        self.on_its_way = true;
    }

    /// Its answer is here.
    fn answer(&mut self, held: &HeldLease) -> Outcome {
        self.on_its_way = false;
        if self.faults.provider {
            return Outcome::failed(Failure::Overloaded);
        }
        let spent = held.claim.refresh.hash;
        assert!(!self.sent.contains(&spent), "a spent token was sent again");
        self.sent.push(spent);
        let number = 10 + u8::try_from(self.sent.len()).expect("few") * 2;
        Outcome::Renewed(tokens(number, number + 1))
    }
}

struct Caller {
    world: World,
    lives_on: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl TokenWaiter for Caller {
    type Token = TokenHash;
    type Claim = Claim;
    type Error = No;

    async fn observe(&mut self) -> Result<Observation<TokenHash, Claim>, No> {
        let row = self.world.step(|truth| truth.row.clone()).await;
        let demand = Demand {
            requester: Requester::Caller { gives_up_at: NOW },
            credential: Credential::AccessToken,
            target: Target::default(),
            min_ttl: MinTtl::Default,
            rejected: None,
        };
        let context = Context { known: Version::default(), client_revision: PARAMETERS.client_revision };
        // The clock stands still, so that no caller times out.
        let demand = Demand { requester: Requester::Caller { gives_up_at: NOW + HOUR }, ..demand };
        match decide(NOW, &row, &demand, &context) {
            Decision::Serve { slot, .. } => {
                Ok(Observation::Ready(row.tokens[slot].access.as_ref().expect("a token").handle.hash))
            }
            Decision::Refresh(claim) => Ok(Observation::Refresh(claim)),
            // With the stopped clock, a back-off would never end.
            Decision::Wait { .. } if row.lease.is_none() => Err(No::Refused(Problem::ProviderUnavailable)),
            Decision::Wait { .. } => Ok(Observation::Wait(HOUR)),
            Decision::Refuse(refusal) => Err(No::Refused(refusal.problem)),
            other => panic!("{other:?}"),
        }
    }

    async fn start_refresh(&self, claim: Claim, permit: RefreshPermit) -> Result<bool, No> {
        let world = self.world.clone();
        let (claimed, answer) = tokio::sync::oneshot::channel();
        let task = spawn(async move {
            let held = world.step(|truth| truth.claim(&claim)).await;
            let (held, answer) = match held {
                Ok(held) => (held.clone(), Ok(held.is_some())),
                Err(no) => (None, Err(no)),
            };
            let _ = claimed.send(answer);
            if let Some(held) = held {
                world.refresh(held).await;
            }
            drop(permit);
        });
        self.lives_on.lock().expect("not poisoned").push(task);
        answer.await.expect("the task lives on")
    }

    fn remaining_wait(&self) -> Result<Duration, No> {
        Ok(HOUR)
    }

    async fn pause(&self, news: impl Future<Output = ()> + Send, longest: Duration) {
        if longest <= LEASE_POLL_INTERVAL {
            // The task of another process, which does not notify this one.
            yield_now().await;
        } else {
            news.await;
        }
    }

    fn too_many_attempts(&self) -> No {
        panic!("it looked for ever")
    }
}

/// Polls a future this many times, and then drops it.
async fn leaving_after<T>(mut turns: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        if turns == 0 {
            return Poll::Ready(None);
        }
        turns -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Runs one schedule: three callers in each of two processes, and one that is cancelled.
fn play(faults: Faults) {
    block_on(async move {
        let world = World::new(faults);
        let lives_on = Arc::new(Mutex::new(Vec::new()));
        let caller = || Caller { world: world.clone(), lives_on: Arc::clone(&lives_on) };
        let flights = crate::refresh::single_flight::SingleFlights::default();
        let here = flights.of(crate::store::GrantId([1; 16]));
        let there: Arc<SingleFlight> =
            crate::refresh::single_flight::SingleFlights::default().of(crate::store::GrantId([1; 16]));
        if faults.leaves {
            let (mut caller, here) = (caller(), Arc::clone(&here));
            spawn(async move {
                let turns = thread_rng().gen_range(1..9);
                leaving_after(turns, here.obtain(&mut caller)).await;
            });
        }
        let all: Vec<_> = [&here, &here, &here, &there, &there, &there]
            .map(|flight| {
                let (mut caller, flight) = (caller(), Arc::clone(flight));
                spawn(async move { flight.obtain(&mut caller).await })
            })
            .into();
        let ends = spawn({
            let world = world.clone();
            async move {
                if !faults.sign_out {
                    return;
                }
                loop {
                    let row = world.step(|truth| truth.row.clone()).await;
                    let Some(update) = sign_out(&row, Revoker::User) else { return };
                    world
                        .step(|truth| {
                            if update.apply(&mut truth.row) {
                                truth.queue.extend(&update.revoke);
                            }
                        })
                        .await;
                }
            }
        });
        let mut answers = Vec::new();
        for caller in all {
            answers.push(caller.await.expect("an end"));
        }
        ends.await.expect("an end");
        loop {
            let Some(task) = lives_on.lock().expect("not poisoned").pop() else { break };
            task.await.expect("an end");
        }
        let truth = world.lock();
        check(&truth, faults, &answers);
    });
}

fn check(truth: &Truth, faults: Faults, answers: &[Result<TokenHash, No>]) {
    assert!(truth.row.lease.is_none() || faults.sign_out, "a lease that nobody uses: {:?}", truth.row);
    let issued: HashSet<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert!(issued.len() <= 1, "one token for all: {answers:?}");
    for answer in answers {
        let is_expected = match answer {
            Ok(_) => !faults.provider,
            Err(No::Database) => faults.claims > 0,
            Err(No::Refused(Problem::ProviderUnavailable)) => faults.provider,
            Err(No::Refused(problem)) => faults.sign_out && *problem == Problem::NotConnected,
        };
        assert!(is_expected, "{answer:?} with {faults:?}");
    }
    let failed = answers.iter().filter(|answer| **answer == Err(No::Database)).count();
    assert!(failed <= usize::from(faults.claims), "each failure is told once");
    assert!(truth.sent.len() <= 1);
    if faults.sign_out {
        // Whichever refresh token lives is queued to be revoked, and nothing of it is left in the row.
        assert!(truth.row.refresh.is_none() && truth.row.tokens.is_empty());
        let living = truth.sent.len() * 3;
        let queued = |number: u8| truth.queue.contains(&token(number));
        assert!(if living == 0 { queued(2) } else { queued(13) }, "{truth:?}");
    }
}

fn explore(faults: Faults) {
    let orders = std::env::var("TOKENTOSS_ORDERS").ok().and_then(|text| text.parse().ok());
    shuttle::check_random(move || play(faults), orders.unwrap_or(ORDERS));
}

#[test]
fn all_are_served_by_one_request() {
    explore(Faults::default());
}

#[test]
fn a_cancelled_caller_does_not_cancel_the_refresh() {
    explore(Faults { leaves: true, ..Faults::default() });
}

#[test]
fn a_failed_claim_is_reported_to_one_caller_and_another_retries() {
    explore(Faults { claims: 2, leaves: true, ..Faults::default() });
}

#[test]
fn a_failing_provider_is_reported_to_all_callers() {
    explore(Faults { provider: true, ..Faults::default() });
}

#[test]
fn a_sign_out_is_final() {
    explore(Faults { sign_out: true, leaves: true, ..Faults::default() });
}
