//! `GET /v1/events`: events of the user's accounts, as server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::App;
use crate::callers::Caller;
use crate::events::Event;
use crate::problem::Problem;

/// The interval of comments, which keep proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest duration of one connection. Then the listener must authenticate again, so that a revoked
/// caller does not listen for ever.
const LONGEST: Duration = Duration::from_secs(15 * 60);

#[derive(Serialize)]
struct Data<'a> {
    account: String,
    provider: &'a str,
    version: u64,
}

/// A listener's events, until its time is over or the process shuts down.
struct StoreEvent {
    receiver: Receiver<Event>,
    over: Pin<Box<Sleep>>,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream for StoreEvent {
    type Item = Result<Sent, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over.as_mut().poll(context).is_ready() || self.ending.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.receiver.poll_recv(context).map(|event| {
            event.map(|Event { name, account, provider, version }| {
                let data = Data { account: account.to_string(), provider: &provider, version };
                Sent::default().event(name).json_data(data)
            })
        })
    }
}

pub(super) async fn events(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let receiver = app.custodian.events.listen(&caller.tenant, &caller.user);
    let receiver = receiver.ok_or_else(Problem::too_many_listeners)?;
    let ending = Box::pin(app.custodian.ending.clone().cancelled_owned());
    let news = StoreEvent { receiver, over: Box::pin(tokio::time::sleep(LONGEST)), ending };
    Ok(Sse::new(news).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_after_a_quarter_of_an_hour() {
        let (_sender, receiver) = tokio::sync::mpsc::channel(1);
        let ending = Box::pin(CancellationToken::new().cancelled_owned());
        let mut news = StoreEvent { receiver, over: Box::pin(tokio::time::sleep(LONGEST)), ending };
        let began = tokio::time::Instant::now();
        let ended = poll_fn(|context| Pin::new(&mut news).poll_next(context)).await;
        assert!(ended.is_none());
        assert_eq!(began.elapsed().as_secs(), 15 * 60);
    }
}
