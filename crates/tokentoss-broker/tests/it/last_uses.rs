//! The time of use, which no caller waits for.

use std::time::Duration;

use serde_json::json;

use crate::journal::Locked;
use crate::provider::Provider;
use crate::running::{Broker, Home};

async fn used_at(broker: &Broker, id: tokentoss_broker::store::GrantId) -> u64 {
    broker.custodian.store.grant(id).await.expect("an answer").expect("a row").grant.used_at.as_millis()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_answered_while_somebody_else_writes() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await;
    let before = used_at(&broker, id).await;
    let writer = Locked::take(&home).await;
    let first = broker.token("ada", json!({"provider": "example"}));
    let first = tokio::time::timeout(Duration::from_secs(4), first).await.expect("without the writer's end");
    assert_eq!(first.status, 200, "{first:?}");
    // How long so many take depends on the machine; one that waited for the writer would get no token.
    let callers = (0..1000).map(|_| broker.token("ada", json!({"provider": "example"})));
    for answer in futures_util::future::join_all(callers).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(used_at(&broker, id).await, before, "nothing was written");
    broker.custodian.write_uses().await;
    assert_eq!(used_at(&broker, id).await, before, "nothing could be");
    writer.release().await;
    broker.custodian.write_uses().await;
    let written = used_at(&broker, id).await;
    assert!(written > before, "what could not be written was kept");
    broker.custodian.write_uses().await;
    assert_eq!(used_at(&broker, id).await, written, "once");
}

#[tokio::test]
async fn the_last_uses_are_written_at_the_end() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await;
    let before = used_at(&broker, id).await;
    while broker.custodian.store.now().await.expect("an answer").as_millis() <= before {
        tokio::task::yield_now().await;
    }
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    broker.stop().await;
    assert!(used_at(&home.start().await, id).await > before);
}
