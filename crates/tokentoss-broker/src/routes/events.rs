//! `GET /v1/events`: events of the user's accounts, as server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
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
use crate::callers::{AllowedProviders, Caller};
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
struct EventStream {
    receiver: Receiver<Event>,
    providers: AllowedProviders,
    over: Pin<Box<Sleep>>,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream for EventStream {
    type Item = Result<Sent, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over.as_mut().poll(context).is_ready() || self.ending.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        loop {
            let event = ready!(self.receiver.poll_recv(context));
            let Some(Event { name, account, provider, version }) = event else { return Poll::Ready(None) };
            if self.providers.contain(&provider) {
                let data = Data { account: account.to_string(), provider: &provider, version };
                return Poll::Ready(Some(Sent::default().event(name).json_data(data)));
            }
        }
    }
}

pub(super) async fn events(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let receiver = app.custodian.events.listen(&caller.tenant, &caller.user);
    let receiver = receiver.ok_or_else(Problem::too_many_listeners)?;
    let ending = Box::pin(app.custodian.ending.clone().cancelled_owned());
    let (over, providers) = (Box::pin(tokio::time::sleep(LONGEST)), caller.providers);
    let events = EventStream { receiver, providers, over, ending };
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::store::GrantId;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_after_a_quarter_of_an_hour() {
        let (_sender, receiver) = tokio::sync::mpsc::channel(1);
        let ending = Box::pin(CancellationToken::new().cancelled_owned());
        let over = Box::pin(tokio::time::sleep(LONGEST));
        let mut news = EventStream { receiver, providers: AllowedProviders::All, over, ending };
        let began = tokio::time::Instant::now();
        let ended = poll_fn(|context| Pin::new(&mut news).poll_next(context)).await;
        assert!(ended.is_none());
        assert_eq!(began.elapsed().as_secs(), 15 * 60);
    }

    #[tokio::test]
    async fn news_of_other_providers_are_left_out() {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        for (provider, version) in [("example", 1), ("other", 2)] {
            let (account, provider) = (GrantId([7; 16]), provider.to_owned());
            sender.send(Event { name: "renewed", account, provider, version }).await.expect("sent");
        }
        drop(sender);
        let over = Box::pin(tokio::time::sleep(LONGEST));
        let ending = Box::pin(CancellationToken::new().cancelled_owned());
        let providers = AllowedProviders::Only(["other".to_owned()].into());
        let mut news = EventStream { receiver, providers, over, ending };
        let mut next = async || poll_fn(|context| Pin::new(&mut news).poll_next(context)).await;
        let told = format!("{:?}", next().await.expect("news").expect("an event"));
        assert!(told.contains(r#"\"provider\":\"other\""#), "{told}");
        assert!(next().await.is_none(), "the other one is not told");
    }
}
