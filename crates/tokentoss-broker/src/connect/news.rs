//! Who waits in this process for a sign-in to change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use crate::store::AuthorizationId;

/// One bell for each sign-in that somebody waits for, so that nobody reads the database for the news of others.
#[derive(Debug, Default)]
pub(super) struct News(Mutex<HashMap<AuthorizationId, Weak<Notify>>>);

impl News {
    /// What is told when this sign-in changes.
    pub(super) fn of(&self, id: AuthorizationId) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(&id).and_then(Weak::upgrade) {
            return bell;
        }
        // Those that nobody waits for any more leave when one more comes.
        bells.retain(|_, bell| bell.strong_count() > 0);
        let bell = Arc::new(Notify::new());
        bells.insert(id, Arc::downgrade(&bell));
        bell
    }

    /// Tells whoever waits for this sign-in.
    pub(super) fn tell(&self, id: AuthorizationId) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(&id).and_then(Weak::upgrade) {
            bell.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn news_reach_those_who_wait_for_that_sign_in() {
        let news = News::default();
        let [one, other] = [AuthorizationId([1; 16]), AuthorizationId([2; 16])];
        let waiting = [one, one, other].map(|id| Box::pin(news.of(id).notified_owned()));
        let [mut first, mut second, mut third] = waiting;
        for waits in [&mut first, &mut second, &mut third] {
            waits.as_mut().enable();
        }
        news.tell(one);
        news.tell(AuthorizationId([3; 16]));
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
        assert!(third.now_or_never().is_none());
        news.of(AuthorizationId([4; 16]));
        assert_eq!(news.0.lock().expect("no panic").len(), 1, "nothing is left behind");
    }
}
