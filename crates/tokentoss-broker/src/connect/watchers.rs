//! The requests of this process that wait for a change of a sign-in.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::store::AuthorizationId;
use crate::weak_map::WeakMap;

/// One notification for each awaited sign-in, so that a change does not make all waiting requests read the
/// database.
#[derive(Debug, Default)]
pub(super) struct SignInWatchers(WeakMap<AuthorizationId, Notify>);

impl SignInWatchers {
    /// The notification for this sign-in.
    pub(super) fn of(&self, id: AuthorizationId) -> Arc<Notify> {
        self.0.get_or_make(&id, Notify::new)
    }

    /// Notifies the requests that wait for this sign-in.
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
    async fn only_the_requests_for_this_sign_in_are_notified() {
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
