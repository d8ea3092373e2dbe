//! A time limit for request bodies.
//!
//! A body that is read into memory is short, so one limit for the whole body is enough. Calls for callers
//! stream their bodies, and have separate limits.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// The time limit for a whole body, counted from the end of the headers.
const WHOLE_BODY: Duration = Duration::from_secs(30);

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body takes too long")]
struct TooSlow;

/// A body that ends with an error when its time is over.
struct Timely {
    body: Body,
    until: Instant,
    /// The timer; it is created when the body is first pending.
    over: Option<Pin<Box<Sleep>>>,
}

/// Sets the time limit for the body of a request.
pub(super) async fn limit(request: Request) -> Request {
    request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Timely { body, until: Instant::now() + WHOLE_BODY, over: None })
    })
}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.body).poll_frame(context);
        if frame.is_ready() {
            return frame;
        }
        let until = this.until;
        let over = this.over.get_or_insert_with(|| Box::pin(sleep_until(until)));
        match over.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(TooSlow)))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::body::to_bytes;
    use axum::extract::FromRequest;
    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;

    use super::*;
    use crate::problem::Problem;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends_all_the_same() {
        let drips = stream::repeat(()).then(|()| async {
            sleep(Duration::from_secs(1)).await;
            Ok::<_, axum::Error>(Bytes::from_static(b"x"))
        });
        let began = Instant::now();
        let slow = limit(Request::new(Body::from_stream(drips))).await;
        assert!(to_bytes(slow.into_body(), usize::MAX).await.is_err());
        assert_eq!(began.elapsed(), WHOLE_BODY);
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_of_it_is_told_as_incomplete() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, axum::Error>>());
        let request = Request::builder().header("content-type", "application/json").body(never);
        let request = limit(request.expect("a request")).await;
        let refused = Json::<serde_json::Value>::from_request(request, &()).await.map(drop);
        assert_eq!(refused.map_err(|rejection| Problem::from(rejection).code()), Err("request_incomplete"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_passes_whole() {
        let parts = stream::iter(["one ", "two"]).then(|part| async move {
            sleep(Duration::from_secs(10)).await;
            Ok::<_, axum::Error>(Bytes::from_static(part.as_bytes()))
        });
        let request = limit(Request::new(Body::from_stream(parts))).await;
        assert_eq!(to_bytes(request.into_body(), 100).await.expect("all of it"), "one two");
    }
}
