//! `check` tells why a provider is not reached.

use tokio::net::TcpListener;

use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::Home;

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_failure_is_told_with_what_to_do() {
    let provider = Provider::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closing = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let unused = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let closes = closing.local_addr().expect("an address");
    tokio::spawn(async move { while closing.accept().await.is_ok() {} });
    let cases = [
        ("away", format!("https://{unused}"), "refused: nobody listens"),
        ("closes", format!("https://{closes}"), "closed: "),
        ("nameless", "https://as.invalid".to_owned(), "name_unresolved: its name has no address"),
        ("plain", provider.issuer().replace("http:", "https:"), "tls: "),
        ("silent", format!("https://{}", silent.local_addr().expect("an address")), "timeout: "),
    ];
    let more: String = cases
        .iter()
        .map(|(name, origin, _)| {
            format!(
                "[providers.{name}]\ntoken_endpoint = \"{origin}/token\"\nclient_id = \"x\"\nauthentication = \"none\"\n"
            )
        })
        .collect();
    let config = Home::new(&provider);
    let path = config.configuration(&more);
    let checked = run(&path, &["check"]).await;
    let text = out(&checked);
    assert!(!checked.status.success());
    for (name, origin, failure) in &cases {
        let problem = format!("problem: providers.{name}.token_endpoint: {origin} is not reached: {failure}");
        assert!(text.contains(&problem), "{problem}\n{text}");
    }
    assert!(!text.contains("providers.example.token_endpoint"), "that one answers: {text}");
    let offline = out(&run(&path, &["check", "--offline"]).await);
    assert!(!offline.contains("is not reached"), "{offline}");
}
