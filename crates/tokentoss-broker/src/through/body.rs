//! Streamed bodies with a size limit and an idle time-out.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// Why a body was not forwarded completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// It exceeds the size limit.
    #[error("the body is too long")]
    TooLong = 1,
    /// Nothing arrived within the idle time-out.
    #[error("the body stands still")]
    Idle = 2,
    /// It ended early.
    #[error("the body ended early")]
    CutOff = 3,
}

/// The progress of a body, shared with code that does not see the body itself.
#[derive(Debug)]
pub(super) struct Progress {
    bytes: AtomicU64,
    stopped: AtomicU8,
    is_whole: AtomicBool,
    moved_at: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            bytes: AtomicU64::new(0),
            stopped: AtomicU8::new(0),
            is_whole: AtomicBool::new(false),
            moved_at: Mutex::new(Instant::now()),
        })
    }

    /// The number of forwarded bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The error, if there was one.
    pub(super) fn stopped(&self) -> Option<BodyError> {
        match self.stopped.load(Ordering::Relaxed) {
            1 => Some(BodyError::TooLong),
            2 => Some(BodyError::Idle),
            3 => Some(BodyError::CutOff),
            _ => None,
        }
    }

    /// Whether the body was forwarded completely.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }

    /// The time at which the last part was forwarded.
    pub(super) fn moved_at(&self) -> Instant {
        *self.moved_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, why: BodyError) -> BodyError {
        self.stopped.store(why as u8, Ordering::Relaxed);
        why
    }
}

/// A body with limits. The value of type `K` is held until the body ends.
pub(super) struct LimitedBody<B, K> {
    body: B,
    limit: u64,
    timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    progress: Arc<Progress>,
    _kept: K,
}

impl<B: Body, K> LimitedBody<B, K> {
    pub(super) fn new(body: B, limit: u64, timeout: Duration, progress: Arc<Progress>, kept: K) -> Self {
        // An empty body is never polled.
        progress.is_whole.fetch_or(body.is_end_stream(), Ordering::Relaxed);
        Self { body, limit, timeout, waiting: None, progress, _kept: kept }
    }
}

impl<B, K> Body for LimitedBody<B, K>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    K: Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(context);
        let Poll::Ready(frame) = polled else {
            let timeout = this.timeout;
            let waiting = this.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
            return match waiting.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(this.progress.stop(BodyError::Idle)))),
                Poll::Pending => Poll::Pending,
            };
        };
        this.waiting = None;
        *this.progress.moved_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Poll::Ready(match frame {
            None => {
                this.progress.is_whole.store(true, Ordering::Relaxed);
                None
            }
            Some(Err(_)) => Some(Err(this.progress.stop(BodyError::CutOff))),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
                let before = this.progress.bytes.fetch_add(length, Ordering::Relaxed);
                if before.saturating_add(length) > this.limit {
                    Some(Err(this.progress.stop(BodyError::TooLong)))
                } else if frame.is_trailers() {
                    // Trailers are not forwarded, because their names are not checked.
                    this.progress.is_whole.store(true, Ordering::Relaxed);
                    None
                } else {
                    // A body of known length is not polled after its last byte.
                    this.progress.is_whole.fetch_or(this.body.is_end_stream(), Ordering::Relaxed);
                    Some(Ok(frame))
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
