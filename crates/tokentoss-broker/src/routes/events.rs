//! `GET /v1/events`: news of the user's accounts, as server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::App;
use crate::callers::Caller;
use crate::events::Event;
use crate::problem::Problem;

/// Between two comments, which keep proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct Data<'a> {
    account: String,
    provider: &'a str,
    version: u64,
}

/// A listener's news until the process is about to end.
struct News {
    receiver: Receiver<Event>,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream for News {
    type Item = Result<Sent, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ending.as_mut().poll(context).is_ready() {
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
    let mut response =
        Sse::new(News { receiver, ending }).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
