//! What an answer of a service, and a request of a caller, may not bring along.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;

use super::service::{Service, broker, until};
use crate::provider::Provider;
use crate::running::{Answer, answer};

/// A browser keeps it for the broker's origin, reports to the service, opens the origin to others, or does something at once.
const FOR_BROWSERS: &[&str] = &[
    "accept-ch",
    "accept-ch-lifetime",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "activate-storage-access",
    "ad-auction-signals",
    "alt-svc",
    "attribution-reporting-register-source",
    "attribution-reporting-register-trigger",
    "authentication-info",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "critical-ch",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy-report-only",
    "cross-origin-resource-policy",
    "document-isolation-policy",
    "document-policy",
    "expect-ct",
    "expect-staple",
    "feature-policy",
    "integrity-policy",
    "nel",
    "no-vary-search",
    "observe-browsing-topics",
    "origin-agent-cluster",
    "origin-trial",
    "permissions-policy",
    "public-key-pins",
    "public-key-pins-report-only",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "sec-session-registration",
    "sec-websocket-accept",
    "secure-session-registration",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "set-login",
    "shared-storage-write",
    "sourcemap",
    "speculation-rules",
    "strict-transport-security",
    "supports-loading-mode",
    "timing-allow-origin",
    "use-as-dictionary",
    "x-content-security-policy",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-permitted-cross-domain-policies",
    "x-sourcemap",
    "x-webkit-csp",
    "x-xss-protection",
];

/// Proxies and caches in front of the broker obey it, or it is the broker's to say.
const FOR_THOSE_IN_FRONT: &[&str] = &[
    "authorization",
    "cache-group-invalidation",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "edge-control",
    "forwarded",
    "netlify-cdn-cache-control",
    "proxy-authenticate",
    "proxy-authentication-info",
    "surrogate-control",
    "surrogate-key",
    "tokentoss-account",
    "tokentoss-anything",
    "via",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-expires",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-envoy-immediate-health-check-fail",
    "x-forwarded-for",
    "x-hop",
    "x-lighttpd-send-file",
    "x-litespeed-cache-control",
    "x-litespeed-location",
    "x-reproxy-url",
    "x-sendfile",
    "x-sendfile2",
    "x-tokentoss-account",
    "x_accel_redirect",
];

/// The answer to a caller where a service sends these.
async fn returned(lines: Vec<(&'static str, &'static str)>) -> Answer {
    let service = Service::replying(move |_| {
        let mut answer = Response::builder();
        for (name, value) in &lines {
            answer = answer.header(*name, *value);
        }
        answer.body(Body::from("fine")).expect("an answer")
    })
    .await;
    let provider = Provider::start().await;
    let broker = broker(&provider, &service.rule()).await;
    answer(broker.request("GET", &format!("/v1/through/example/{}/mail", service.address), "ada")).await
}

#[tokio::test]
async fn an_answer_brings_nothing_for_the_brokers_origin() {
    let names = FOR_BROWSERS.iter().chain(FOR_THOSE_IN_FRONT);
    let mut lines: Vec<_> = names.map(|name| (*name, "evil")).collect();
    lines.extend([("connection", "x-hop"), ("cache-control", "public"), ("tokentoss-through", "0")]);
    let response = returned(lines).await;
    let evil: Vec<_> = response.headers.iter().filter(|(_, value)| *value == "evil").collect();
    assert_eq!((response.status, evil), (200, vec![]));
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(response.headers["x-content-type-options"], "nosniff");
    // Should a browser show the answer in the broker's origin, it is a page without scripts, forms and frames.
    let policy = response.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && policy.ends_with("; sandbox"), "{policy}");
}

#[tokio::test]
async fn what_an_api_says_passes() {
    let passing = [
        ("content-type", "application/json"),
        ("content-disposition", "attachment"),
        ("content-language", "en"),
        ("content-range", "bytes 0-3/4"),
        ("etag", "\"1\""),
        ("last-modified", "Tue, 15 Nov 1994 12:45:26 GMT"),
        ("location", "/mail/1"),
        ("retry-after", "3"),
        ("ratelimit-remaining", "7"),
        ("vary", "accept"),
        ("x-request-id", "r-1"),
        ("x-theirs", "stays"),
    ];
    let response = returned(passing.to_vec()).await;
    for (name, value) in passing {
        assert_eq!(response.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn links_pass_but_for_those_that_a_browser_follows_by_itself() {
    let passing = [
        r#"<https://api.example/mail?page=2>; rel="next", <https://api.example/mail?page=9>; rel="last""#,
        "</mail?rel=preload>; rel=prev",
        "<https://api.example/rel>; title=\"preconnect\"; rel=\"self describedby\"",
    ];
    let dropped = [
        "<https://evil.example>; rel=preconnect",
        "<https://evil.example>; REL = \"DNS-Prefetch\"",
        "</a>; rel=next, <https://evil.example/x>; rel=\"alternate preload\"; as=script",
        "<https://evil.example/x.css>; rel='stylesheet'",
        "<https://evil.example/x>; rel=modulepreload;x",
        "<https://evil.example/x>; rel=\"pre\\load\"",
        "</dictionary>; rel=\"compression-dictionary\"",
    ];
    let lines = passing.iter().chain(&dropped).map(|value| ("link", *value)).collect();
    let response = returned(lines).await;
    let links: Vec<_> = response.headers.get_all("link").iter().collect();
    assert_eq!(links, passing);
}

#[tokio::test]
async fn of_challenges_only_those_about_the_token_pass() {
    let passing = [
        r#"Bearer realm="api, basic", error="insufficient_scope", scope="a b""#,
        "bearer",
        r#"DPoP algs="ES256", Bearer error="invalid_token""#,
    ];
    // For each of these a browser asks for a password, or sends what the machine has.
    let dropped = [
        "Basic realm=\"broker\"",
        "Negotiate",
        "NTLM",
        r#"Digest realm="a", nonce="b""#,
        r#"Bearer realm="a", Basic realm="broker""#,
        "Bearer, Negotiate",
        r#"Bearer realm="a\"", Negotiate"#,
        "",
    ];
    let lines = passing.iter().chain(&dropped).map(|value| ("www-authenticate", *value)).collect();
    let response = returned(lines).await;
    let challenges: Vec<_> = response.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, passing);
}

#[tokio::test]
async fn an_answer_names_the_account_whose_token_was_sent() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let ada = answer(broker.request("GET", &path, "ada")).await;
    let named = ada.headers["tokentoss-account"].to_str().expect("text").to_owned();
    let work = broker.connect_as("ada", "ada-at-work", &provider.grant(), 3600).await.to_string();
    assert_ne!(named, work);
    assert_eq!(answer(broker.request("GET", &path, "ada")).await.code(), "account_ambiguous");
    for (asked, used) in [(&named, &named), (&"ada-at-work".to_owned(), &work)] {
        let answer = answer(broker.request("GET", &path, "ada").header("x-tokentoss-account", asked)).await;
        assert_eq!(
            (answer.status, &answer.headers["tokentoss-account"]),
            (200, &used.parse().expect("a value"))
        );
        assert_eq!(answer.headers.get_all("tokentoss-account").iter().count(), 1);
    }
    let refused = answer(broker.request("GET", &path, "grace")).await;
    assert!(refused.status == 404 && !refused.headers.contains_key("tokentoss-account"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_try_is_for_the_account_of_the_first() {
    let (is_asked, goes_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (asked, on) = (Arc::clone(&is_asked), Arc::clone(&goes_on));
    let service = Service::replying(move |seen| {
        if seen.headers["authorization"] != "Bearer first-access-of-ada" {
            return Response::new(Body::from("fine"));
        }
        asked.store(true, Ordering::SeqCst);
        // Other tasks of this thread go on in another one meanwhile.
        tokio::task::block_in_place(|| {
            while !on.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Response::builder().status(401).body(Body::empty()).expect("an answer")
    })
    .await;
    let provider = Provider::start().await;
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let call = answer(broker.request("GET", &path, "ada"));
    let meanwhile = async {
        until("the service is asked", || is_asked.load(Ordering::SeqCst)).await;
        broker.connect_as("ada", "ada-at-work", &provider.grant(), 3600).await;
        goes_on.store(true, Ordering::SeqCst);
    };
    let (answer, ()) = tokio::join!(call, meanwhile);
    assert_eq!((answer.status, service.seen().len()), (200, 2), "{answer:?}");
}
