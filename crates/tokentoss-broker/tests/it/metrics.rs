//! What is counted, and that it names nobody.

use serde_json::json;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Broker, Home, answer};
use crate::sign_in::{self, Browser, begin, id_of, way_back};

async fn metrics(broker: &Broker) -> String {
    let response =
        broker.http.get(format!("http://{}/metrics", broker.admin)).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/plain"));
    response.text().await.expect("a body")
}

/// The sum of the lines that begin so and hold these labels.
fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    let lines = text
        .lines()
        .filter(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")));
    let lines = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
    lines.map(|line| line.rsplit(' ').next().expect("a number").parse::<f64>().expect("a number")).sum()
}

#[tokio::test]
async fn requests_refreshes_and_the_cache_are_counted_without_names() {
    // Other tests of this process count too, so that the provider has a name of its own.
    let mut home = Home::new(&Provider::start().await);
    home.provider_name = "counted".into();
    let broker = home.start().await;
    let id = broker.connect_at("counted", "countess-ada", &home.provider.grant()).await;
    for _ in 0..3 {
        assert_eq!(broker.token("countess-ada", json!({"provider": "counted"})).await.status, 200);
    }
    assert_eq!(
        answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "countess-ada")).await.status,
        204
    );
    answer(broker.request("GET", "/secret/path/of-countess-ada", "countess-ada")).await;
    let text = metrics(&broker).await;
    let counted = r#"provider="counted""#;
    let upstream = [counted, r#"outcome="renewed""#, r#"purpose="refresh""#];
    assert!((sum(&text, "tokentoss_upstream_requests_total", &upstream) - 1.0).abs() < 0.1, "{text}");
    let refreshes = [counted, r#"by="caller""#];
    assert!((sum(&text, "tokentoss_refreshes_total", &refreshes) - 1.0).abs() < 0.1, "{text}");
    for (name, labels, least) in [
        ("tokentoss_requests_total", vec![r#"route="/v1/token""#, r#"status="200""#], 3.0),
        ("tokentoss_requests_total", vec![r#"route="/v1/accounts/{id}""#, r#"status="204""#], 1.0),
        ("tokentoss_requests_total", vec![r#"route="unknown""#, r#"status="404""#], 1.0),
        ("tokentoss_cache_lookups_total", vec![r#"result="hit""#], 2.0),
        ("tokentoss_request_duration_seconds_count", vec![r#"route="/v1/token""#], 3.0),
        ("tokentoss_revocations_waiting", vec![], 0.0),
        ("tokentoss_revocations_unconfigured", vec![], 0.0),
        ("tokentoss_journal_answers_waiting", vec![], 0.0),
    ] {
        assert!(text.contains(name) && sum(&text, name, &labels) >= least, "{name} {labels:?}: {text}");
    }
    for secret in ["countess", "acme", "access-2", "refresh-", "of-countess", &id.to_string()] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn grants_that_end_are_counted_by_their_cause() {
    let mut home = Home::new(&Provider::start().await);
    home.provider_name = "ending".into();
    let broker = home.start().await;
    let ended = async |cause: &str| {
        let labels = [r#"provider="ending""#, &format!("cause=\"{cause}\"")];
        sum(&metrics(&broker).await, "tokentoss_grants_ended_total", &labels)
    };
    let of_interruptions = r#"tokentoss_grants_ended_total{provider="ending",cause="refresh_interrupted"} 0"#;
    assert!(metrics(&broker).await.contains(of_interruptions), "an alert sees the first one");
    // The provider knows neither token; the second one may have been sent before.
    for (user, is_repeated) in [("ada", false), ("grace", true)] {
        let id = broker.connect_at("ending", user, "unknown-refresh").await;
        if is_repeated {
            let sql = "UPDATE grants SET attempt_hash = refresh_hash, attempt_at = renewed_at WHERE user_id = 'grace'";
            home.execute(sql).await;
        }
        let refused = broker.token(user, json!({"provider": "ending"})).await;
        assert_eq!(refused.code(), "reauth_required", "{refused:?}");
        broker.token(user, json!({"provider": "ending"})).await;
        let gone = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), user)).await;
        assert_eq!(gone.status, 204);
    }
    for (cause, count) in [("invalid_grant", 1.0), ("refresh_interrupted", 1.0), ("user", 2.0)] {
        let counted = ended(cause).await;
        assert!((counted - count).abs() < 0.1, "{cause}: {counted}");
    }
}

#[tokio::test]
async fn codes_that_are_redeemed_are_counted() {
    let provider = Provider::start().await;
    let mut home = sign_in::home(&provider, "page");
    home.provider_name = "redeeming".into();
    home.of_provider = home.of_provider.replace("providers.example", "providers.redeeming");
    let broker = home.start().await;
    let browser = Browser::default();
    for answered in ["redeemed", "invalid_grant"] {
        if answered == "invalid_grant" {
            provider.set(ProviderBehaviour::Respond(400, r#"{"error":"invalid_grant"}"#));
        }
        let id = id_of(&begin(&broker, "ada", json!({"provider": "redeeming"})).await);
        let back = way_back(&broker, &browser, &provider, &id, "ada").await;
        browser.get(&broker, &back).await;
        let outcome = format!("outcome=\"{answered}\"");
        let labels = [r#"provider="redeeming""#, r#"purpose="sign_in""#, &outcome];
        let text = metrics(&broker).await;
        assert!((sum(&text, "tokentoss_upstream_requests_total", &labels) - 1.0).abs() < 0.1, "{text}");
    }
}

#[tokio::test]
async fn callers_do_not_see_it() {
    let broker = Home::new(&Provider::start().await).start_kept().await;
    assert_eq!(answer(broker.request("GET", "/metrics", "ada")).await.code(), "route_unknown");
}
