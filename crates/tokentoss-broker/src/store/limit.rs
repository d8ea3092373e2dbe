//! The time limit for an answer of the database.

use std::future::Future;
use std::time::Duration;

use super::StoreError;

/// Longer than the limits for locks and connections, which have their own errors, and shorter than a caller's
/// limit.
pub(super) const LIMIT: Duration = Duration::from_secs(12);

/// The answer, or [`StoreError::Late`].
pub(super) async fn limited<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    within(LIMIT, call).await
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, call).await.unwrap_or(Err(StoreError::Late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_an_error_in_time() {
        let never = std::future::pending::<Result<(), StoreError>>();
        let late = within(Duration::from_millis(20), never).await;
        assert!(matches!(late, Err(StoreError::Late)), "{late:?}");
        assert!(matches!(limited(async { Ok(7) }).await, Ok(7)));
    }
}
