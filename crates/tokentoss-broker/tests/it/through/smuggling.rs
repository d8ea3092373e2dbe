//! Headers that pretend, smuggle or remain from the caller's side.

use super::service::{Service, broker, head, raw};
use crate::provider::Provider;
use crate::running::{KEY, answer};

const PRETENDING: &[&str] = &[
    "Cookie",
    "Proxy-Authorization",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "X-Forwarded-Host",
    "X_Forwarded_Email",
    "X-Goog-Authenticated-User-Email",
    "X-Goog-Iap-Jwt-Assertion",
    "X-Serverless-Authorization",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Real-IP",
    "Remote-User",
    "X-Remote-User",
    "X-Auth-Request-User",
    "X-Amzn-Oidc-Identity",
    "X-MS-Client-Principal-Name",
    "Cf-Access-Jwt-Assertion",
    "X-Endpoint-API-UserInfo",
    "Tailscale-User-Login",
    "TE",
    "Keep-Alive",
    "Trailer",
    "X-Tokentoss-Account",
    "Tokentoss-Through",
    "Referer",
    "Access-Control-Request-Method",
    "Early-Data",
    "Front-End-HTTPS",
    "HTTP-Method-Override",
    "Method-Override",
    "Origin",
    "Remote-Groups",
    "Remote-Name",
    "Sec-Fetch-Site",
    "Sec-CH-UA",
    "SSL-Client-Cert",
    "SSL-Client-Verify",
    "X-Access-Token",
    "X-Authenticated-User",
    "X-Authentik-Username",
    "X-Client-Cert",
    "X-Consumer-Username",
    "X-Credential-Identifier",
    "X-Envoy-Original-Path",
    "X-Forwarded",
    "X-Forwarded-Proto",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-HTTP-Verb-Override",
    "X_HTTP_Method_Override",
    "X-Method",
    "X-Original-Method",
    "X-Original-URI",
    "X-Originating-IP",
    "X-Override-Method",
    "X-Pomerium-Claim-Email",
    "X-Tokentoss-Hub",
    "X-Vouch-User",
    "X-WebAuth-User",
];

#[tokio::test]
async fn headers_that_pretend_do_not_arrive() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let mut request =
        broker.request("GET", &path, "ada").header("x-mine", "stays").header("accept", "text/plain");
    for name in PRETENDING {
        request = request.header(*name, "ada");
    }
    assert_eq!(answer(request).await.status, 200);
    let seen = service.seen();
    for name in PRETENDING {
        assert!(!seen[0].headers.contains_key(*name), "{name} arrived");
    }
    assert!(
        !seen[0].headers.contains_key("x-tokentoss-user")
            && !seen[0].headers.contains_key("x-tokentoss-tenant")
    );
    assert_eq!(seen[0].headers["x-mine"], "stays");
    assert_eq!(seen[0].headers["accept"], "text/plain");
    assert_eq!(seen[0].headers.get_all("authorization").iter().count(), 1);
    assert!(!format!("{:?}", seen[0].headers).contains(KEY), "the caller's key stays here");
    assert_eq!(seen[0].headers["host"], service.address.to_string());
}

#[tokio::test]
async fn connection_names_what_does_not_pass() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let request = format!(
        "GET /v1/through/example/{}/mail HTTP/1.1\r\n{}Connection: X-Secret, authorization\r\nX-Secret: 1\r\nX-Other: 2\r\n\r\n",
        service.address,
        head()
    );
    assert!(raw(&broker, &request).await.starts_with("HTTP/1.1 200"));
    let seen = service.seen();
    assert!(!seen[0].headers.contains_key("x-secret"));
    assert_eq!(seen[0].headers["x-other"], "2");
    assert_eq!(seen[0].headers["authorization"], "Bearer first-access-of-ada", "put in afterwards");
}

#[tokio::test]
async fn two_lengths_make_no_second_request() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let target = format!("/v1/through/example/{}/mail", service.address);
    let hidden = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
    for lengths in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", hidden.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", hidden.len()),
        "Content-Length: 3\r\nContent-Length: 30\r\n".to_owned(),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Content-Length: +5\r\n".to_owned(),
    ] {
        let _ = raw(&broker, &format!("POST {target} HTTP/1.1\r\n{}{lengths}\r\n{hidden}", head())).await;
    }
    let seen = service.seen();
    assert!(seen.iter().all(|seen| seen.target == "/mail" && seen.method == "POST"), "{seen:?}");
    assert!(seen.iter().all(|seen| !(seen.headers.contains_key("content-length")
        && seen.headers.contains_key("transfer-encoding"))));
}

#[tokio::test]
async fn upgrades_are_refused() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let target = format!("/v1/through/example/{}/mail", service.address);
    for upgrade in
        ["Upgrade: websocket\r\nConnection: Upgrade\r\n", "Upgrade: h2c\r\n", "Connection: upgrade\r\n"]
    {
        let answer = raw(&broker, &format!("GET {target} HTTP/1.1\r\n{}{upgrade}\r\n", head())).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_request"), "{answer}");
    }
    assert!(service.seen().is_empty());
}
