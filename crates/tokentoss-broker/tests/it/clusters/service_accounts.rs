//! For whom the service accounts of a cluster ask.

use serde_json::json;

use super::{Cluster, Signer, claims, list};
use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::{Home, answer};

/// One entry of each kind.
const ACCOUNTS: &str = r#"
[[clusters.prod.service_accounts]]
namespace = "jupyter"
name = "ada"
tenant = "acme"
user = "ada"
[[clusters.prod.service_accounts]]
namespace = "jupyter"
tenant = "acme"
[[clusters.prod.service_accounts]]
namespace = "web"
name = "backend"
tenants = ["acme"]
"#;

#[tokio::test]
async fn each_service_account_acts_for_the_configured_user() {
    for home in Home::all().await {
        for signer in [Signer::rsa("first"), Signer::p256("first")] {
            let cluster = Cluster::publishing(&[&signer]).await;
            let provider = home.provider.clone();
            let lines = cluster.lines("prod", ACCOUNTS);
            let broker = home.start_resolving(&lines, &tokentoss_broker::through::Lookup::of_system()).await;
            for user in ["ada", "jupyter/grace", "lin"] {
                broker.connect(user, &provider.grant(), 3600).await;
            }
            let ask = |namespace: &str, name: &str| {
                let token = signer.token(&claims(namespace, name));
                let request = broker.http.post(broker.url("/v1/token")).bearer_auth(token);
                request.header("content-type", "application/json").body(r#"{"provider":"example"}"#)
            };
            let ada = answer(ask("jupyter", "ada")).await;
            assert_eq!(ada.body["access_token"], "first-access-of-ada", "{ada:?}");
            let grace = answer(ask("jupyter", "grace")).await;
            assert_eq!(grace.body["access_token"], "first-access-of-jupyter/grace");
            assert_eq!(answer(ask("jupyter", "default")).await.code(), "not_connected", "a neighbour");
            for (name, header) in
                [("ada", "x-tokentoss-user"), ("grace", "x-tokentoss-user"), ("grace", "x-tokentoss-tenant")]
            {
                let named = answer(ask("jupyter", name).header(header, "lin")).await;
                assert_eq!((named.status, named.code()), (400, "invalid_request"), "{name}");
            }
            let server = |tenant: &str| {
                ask("web", "backend").header("x-tokentoss-tenant", tenant).header("x-tokentoss-user", "lin")
            };
            assert_eq!(answer(server("acme")).await.body["access_token"], "first-access-of-lin");
            let foreign = answer(server("other")).await;
            assert_eq!((foreign.status, foreign.code()), (403, "caller_forbidden"));
            assert_eq!(answer(ask("web", "backend")).await.code(), "invalid_request", "it names both");
            let other = ask("web", "frontend").header("x-tokentoss-tenant", "acme");
            let other = answer(other.header("x-tokentoss-user", "lin")).await;
            assert_eq!((other.status, other.code()), (401, "caller_unauthenticated"));
            assert_eq!(cluster.asked(), 1);
            broker.stop().await;
        }
    }
}

#[tokio::test]
async fn clusters_of_one_issuer_are_told_apart_by_their_keys() {
    let provider = Provider::start().await;
    let (ours, theirs) = (Signer::p256("ours"), Signer::rsa("theirs"));
    let (near, far) = (Cluster::publishing(&[&ours]).await, Cluster::publishing(&[&theirs]).await);
    let rule = |name: &str, tenant: &str| {
        format!(
            "[[clusters.{name}.service_accounts]]\nnamespace = \"jupyter\"\ntenant = \"{tenant}\"\nuser = \"ada\"\n"
        )
    };
    let lines = near.lines("near", &rule("near", "acme")) + &far.lines("far", &rule("far", "another"));
    let broker = Home::new(&provider).start_kept_with(&lines).await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let all = |signer: &Signer| list_of(signer.token(&claims("jupyter", "default")), &broker);
    assert_eq!(all(&ours).await, Some(1));
    assert_eq!(all(&theirs).await, Some(0), "its tenant is another");
    let forged = Signer { id: "ours".to_owned(), ..Signer::rsa("theirs") };
    let refused = list(&broker, &forged.token(&claims("jupyter", "default"))).await;
    assert_eq!((refused.status, refused.code()), (401, "caller_unauthenticated"));
}

async fn list_of(token: String, broker: &crate::running::Broker) -> Option<usize> {
    list(broker, &token).await.body.as_array().map(Vec::len)
}

#[tokio::test]
async fn clocks_may_differ_by_a_few_seconds() {
    let provider = Provider::start().await;
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    let broker = Home::new(&provider).start_kept_with(&cluster.lines("prod", ACCOUNTS)).await;
    let now = super::now();
    for (member, value, status) in [
        ("exp", now - 2, 200),
        ("exp", now - 30, 401),
        ("nbf", now + 8, 200),
        ("nbf", now + 60, 401),
        ("aud", 0, 401),
    ] {
        let mut changed = claims("jupyter", "ada");
        changed[member] = json!(value);
        assert_eq!(list(&broker, &signer.token(&changed)).await.status, status, "{member} {value}");
    }
    let mut single = claims("jupyter", "ada");
    single["aud"] = json!("tokentoss");
    single.as_object_mut().expect("claims").remove("nbf");
    assert_eq!(list(&broker, &signer.token(&single)).await.status, 200);
}

#[tokio::test]
async fn service_accounts_are_listed_as_callers() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let cluster = Cluster::publishing(&[&Signer::p256("first")]).await;
    let config = home.configuration(&cluster.lines("prod", ACCOUNTS));
    let listed = out(&run(&config, &["callers"]).await);
    for line in [
        "cluster prod  service account jupyter/ada  asks for user ada of tenant acme",
        "cluster prod  service account jupyter/*  asks for its namespace and name in tenant acme",
        "cluster prod  service account web/backend  asks for users of tenants acme",
    ] {
        assert!(listed.contains(line), "{listed}");
    }
}
