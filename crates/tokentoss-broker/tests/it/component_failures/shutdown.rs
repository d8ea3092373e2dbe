//! SIGTERM while a refresh is on its way.

use std::time::Duration;

use serde_json::json;

use crate::process::Process;
use crate::running::{Home, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_written_before_the_process_ends() {
    for home in Home::all().await {
        home.provider.takes(Duration::from_millis(700));
        let broker = home.start().await;
        broker.connect_long_ago("ada", &home.provider.grant()).await;
        broker.stop().await;
        let process = Process::start(&home, "").await;
        let asked = tokio::spawn(process.token("ada", &json!({"provider": "example"})));
        until(async || home.provider.forms().len() == 1).await;
        let status = process.terminate().await;
        assert!(status.success(), "{status}");
        let answer = asked.await.expect("an answer");
        assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
        let again = home.start().await.token("ada", json!({"provider": "example"})).await;
        assert_eq!((&again.body["access_token"], home.provider.forms().len()), (&json!("access-2"), 1));
    }
}
