//! Who waits in this process for a sign-in to change.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::store::AuthorizationId;
use crate::weak_map::WeakMap;

/// One bell for each sign-in that somebody waits for, so that nobody reads the database for the news of others.
#[derive(Debug, Default)]
pub(super) struct SignInWatchers(WeakMap<AuthorizationId, Notify>);

impl SignInWatchers {
    /// What is told when this sign-in changes.
    pub(super) fn of(&self, id: AuthorizationId) -> Arc<Notify> {
        self.0.get_or_make(&id, Notify::new)
    }

    /// Tells whoever waits for this sign-in.
    pub(super) fn notify(&self, id: AuthorizationId) {
        if let Some(notify) = self.0.get(&id) {
            notify.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn news_reach_those_who_wait_for_that_sign_in() {
        let watchers = SignInWatchers::default();
        let [one, other] = [AuthorizationId([1; 16]), AuthorizationId([2; 16])];
        let waiting = [one, one, other].map(|id| Box::pin(watchers.of(id).notified_owned()));
        let [mut first, mut second, mut third] = waiting;
        for waits in [&mut first, &mut second, &mut third] {
            waits.as_mut().enable();
        }
        watchers.notify(one);
        watchers.notify(AuthorizationId([3; 16]));
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
        assert!(third.now_or_never().is_none());
    }
}
