//! A circuit breaker for each provider, so that the scheduler does not send a request for every grant during
//! an outage.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokentoss_custody::{Failure, LEASE, MAX_RETRY_AFTER, Outcome};

/// The number of consecutive failures, of grants without earlier failures, after which a provider counts as
/// unavailable.
const AWAY_AFTER: u32 = 3;
/// The first pause; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that the provider did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
    /// While a probe is running, no other request is sent.
    probing_until: Option<Instant>,
}

/// The state of each provider, from its latest answers.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashMap<String, State>>);

impl Health {
    /// Records the outcome of a request; `was_well` says that the grant had no earlier failure.
    pub(super) fn note(&self, provider: &str, outcome: &Outcome, was_well: bool, now: Instant) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(provider.to_owned()).or_default();
        let Outcome::Failed { failure, retry_after } = outcome else {
            *state = State::default();
            return;
        };
        let is_away = matches!(
            failure,
            Failure::NotSent | Failure::AnswerLost | Failure::Overloaded | Failure::ServerFailed
        );
        if !is_away {
            *state = State::default();
            return;
        }
        if state.until.is_some_and(|until| until > now) {
            // The request was sent before the pause began.
            return;
        }
        if state.until.is_none() && !was_well {
            // A failing grant may fail permanently, and has its own back-off.
            return;
        }
        state.failures = state.failures.saturating_add(1);
        state.probing_until = None;
        if let Some(beyond) = state.failures.checked_sub(AWAY_AFTER) {
            let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(beyond.min(16))).min(LONGEST_PAUSE);
            let wished = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
            state.until = now.checked_add(doubled.max(wished));
        }
    }

    /// How many grants the scheduler may refresh at once: all, one as a probe after a pause, or none.
    pub(super) fn allowance(&self, provider: &str, most: usize, now: Instant) -> usize {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.get(provider).and_then(|state| state.until) {
            Some(until) if until > now => 0,
            Some(_) if is_probed(states.get(provider), now) => 0,
            Some(_) => most.min(1),
            None => most,
        }
    }

    /// Records that the scheduler sends a request, which is a probe after a pause.
    pub(super) fn sent(&self, provider: &str, now: Instant) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(provider).filter(|state| state.until.is_some()) {
            state.probing_until = now.checked_add(LEASE);
        }
    }
}

fn is_probed(state: Option<&State>, now: Instant) -> bool {
    state.and_then(|state| state.probing_until).is_some_and(|until| until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Outcome = Outcome::failed(Failure::NotSent);

    #[test]
    fn an_unavailable_provider_is_paused_and_then_probed() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 1..AWAY_AFTER {
            health.note("example", &AWAY, true, now);
            assert_eq!(health.allowance("example", 8, now), 8, "it may have been one grant's bad luck");
        }
        health.note("example", &AWAY, true, now);
        assert_eq!(health.allowance("example", 8, now), 0);
        assert_eq!(health.allowance("other", 8, now), 8);
        assert_eq!(health.allowance("example", 8, now + FIRST_PAUSE), 1);
        health.sent("example", now + FIRST_PAUSE);
        assert_eq!(health.allowance("example", 8, now + FIRST_PAUSE), 0, "the probe is on its way");
        health.note("example", &AWAY, true, now + FIRST_PAUSE);
        assert_eq!(health.allowance("example", 8, now + FIRST_PAUSE * 2), 0, "twice as long");
        health.note("example", &AWAY, true, now + FIRST_PAUSE);
        assert_eq!(health.allowance("example", 8, now + FIRST_PAUSE * 3), 1, "not for those on their way");
        let mut later = now;
        for _ in 0..100 {
            later += LONGEST_PAUSE;
            health.note("example", &AWAY, true, later);
        }
        assert_eq!(health.allowance("example", 8, later + LONGEST_PAUSE), 1);
        health.note("example", &Outcome::InvalidClient, true, later);
        assert_eq!(health.allowance("example", 8, later), 8, "it answers");
    }

    #[test]
    fn grants_that_fail_permanently_do_not_pause_their_provider() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..100 {
            health.note("example", &AWAY, false, now);
        }
        assert_eq!(health.allowance("example", 8, now), 8);
        for _ in 0..AWAY_AFTER {
            health.note("example", &AWAY, true, now);
        }
        health.sent("example", now + FIRST_PAUSE);
        health.note("example", &AWAY, false, now + FIRST_PAUSE);
        assert_eq!(
            health.allowance("example", 8, now + FIRST_PAUSE * 2),
            0,
            "a probe counts, whatever it is of"
        );
    }

    #[test]
    fn retry_after_of_the_provider_counts() {
        let (health, now) = (Health::default(), Instant::now());
        let busy = Outcome::Failed {
            failure: Failure::Overloaded,
            retry_after: Some(Duration::from_secs(1_000_000)),
        };
        for _ in 0..AWAY_AFTER {
            health.note("example", &busy, true, now);
        }
        assert_eq!(health.allowance("example", 8, now + MAX_RETRY_AFTER - Duration::from_secs(1)), 0);
        assert_eq!(health.allowance("example", 8, now + MAX_RETRY_AFTER), 1);
    }
}
