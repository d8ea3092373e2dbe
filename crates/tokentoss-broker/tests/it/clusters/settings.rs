//! Settings of clusters that contradict each other or are not safe, and what `check` says of them.

use std::os::unix::fs::PermissionsExt;

use tokentoss_broker::config::Config;
use tokentoss_broker::server::Server;

use super::{Cluster, Signer};
use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::Home;

const ACCOUNT: &str = "[[clusters.prod.service_accounts]]\nnamespace = \"jupyter\"\ntenant = \"acme\"\n";

fn cluster(lines: &str, accounts: &str) -> String {
    format!("[clusters.prod]\naudience = \"tokentoss\"\n{lines}\n{accounts}")
}

#[tokio::test]
async fn invalid_cluster_settings_are_refused_at_start() {
    let home = Home::new(&Provider::start().await);
    let empty = home.path().join("empty.crt");
    std::fs::write(&empty, "").expect("written");
    let url = "issuer = \"https://k8s.example\"\njwks_url = \"https://k8s.example/openid/v1/jwks\"";
    let file = "issuer = \"https://k8s.example\"\njwks = \"/jwks.json\"";
    let with = |account: &str| cluster(url, &format!("[[clusters.prod.service_accounts]]\n{account}"));
    for (more, problem) in [
        (cluster("issuer = \"\"\njwks = \"/jwks.json\"", ACCOUNT), "issuer: is missing"),
        (
            cluster("issuer = \"tokentoss\"\njwks = \"/jwks.json\"", ACCOUNT),
            "audience: must not be the issuer",
        ),
        (cluster("issuer = \"https://k8s.example\"", ACCOUNT), "jwks: set either"),
        (cluster(&format!("{url}\njwks = \"/jwks.json\""), ACCOUNT), "jwks: set either"),
        (cluster(&format!("{file}\njwks_token = \"/token\""), ACCOUNT), "jwks: is a file"),
        (
            cluster("issuer = \"https://k8s.example\"\njwks_url = \"http://k8s.example/jwks\"", ACCOUNT),
            "jwks_url: must be an https URL",
        ),
        (
            cluster(&format!("{url}\nca_certificates = \"/nowhere.crt\""), ACCOUNT),
            "ca_certificates: the file cannot",
        ),
        (
            cluster(&format!("{url}\nca_certificates = {empty:?}"), ACCOUNT),
            "ca_certificates: the file has no",
        ),
        (cluster(url, ""), "service_accounts: is empty"),
        (
            with("namespace = \"\"\ntenant = \"acme\""),
            "service_accounts[0].name: namespace or name is not valid",
        ),
        (
            with("namespace = \"*\"\ntenant = \"acme\""),
            "service_accounts[0].name: namespace or name is not valid",
        ),
        (
            with("namespace = \"web\"\nname = \"A\"\ntenant = \"acme\""),
            "service_accounts[0].name: namespace or name is not valid",
        ),
        (with("namespace = \"web\""), "service_accounts[0].name: is missing; only a named service account"),
        (
            with("namespace = \"web\"\ntenants = [\"acme\"]"),
            "service_accounts[0].name: is missing; only a named service account",
        ),
        (with("namespace = \"web\"\nname = \"a\"\nuser = \"ada\""), "service_accounts[0].user: "),
        (with("namespace = \"web\"\ntenant = \"a b\""), "service_accounts[0].tenant: "),
        (with("namespace = \"web\"\ntenant = \"acme\"\nuser = \"\""), "service_accounts[0].user: "),
        (
            with("namespace = \"web\"\ntenant = \"acme\"\nuser = \"ada\"\ntenants = [\"acme\"]"),
            "service_accounts[0].tenants: ",
        ),
        (
            cluster(url, &format!("{ACCOUNT}{ACCOUNT}")),
            "service_accounts[1].name: is the same as in another entry",
        ),
    ] {
        let config = Config::read(&home.configuration(&more)).expect("a configuration");
        let error = Server::build(&config).await.err().expect("refused").to_string();
        assert!(error.starts_with(&format!("clusters.prod.{problem}")), "{error}\n{more}");
        let checked = run(&home.configuration(&more), &["check"]).await;
        assert!(!checked.status.success());
        assert!(out(&checked).contains(&format!("problem: clusters.prod.{problem}")), "{checked:?}");
    }
}

#[tokio::test]
async fn check_reads_the_keys() {
    let home = Home::new(&Provider::start().await);
    for name in ["keys.toml", "caller.key", "client.secret"] {
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(home.path().join(name), closed).expect("changed");
    }
    let served = Cluster::publishing(&[&Signer::p256("first")]).await;
    let config = home.configuration(&served.lines("prod", ACCOUNT));
    let checked = run(&config, &["check"]).await;
    assert!(checked.status.success() && out(&checked).contains("1 clusters"), "{checked:?}");
    served.says(200, "<html>");
    let checked = run(&config, &["check"]).await;
    assert!(
        out(&checked)
            .contains("problem: clusters.prod: its keys cannot be read: the document is not a JWK Set")
    );
    served.says(503, "");
    let checked = run(&config, &["check"]).await;
    assert!(out(&checked).contains("its keys cannot be read: an answer of status 503"), "{checked:?}");
    let token = home.path().join("own.token");
    std::fs::write(&token, "token").expect("written");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).expect("changed");
    served.publishes(&[&Signer::p256("first")]);
    let config = home.configuration(&served.lines("prod", &format!("jwks_token = {token:?}\n{ACCOUNT}")));
    let checked = run(&config, &["check"]).await;
    assert!(out(&checked).contains("problem: clusters.prod.jwks_token: "), "{checked:?}");
}
