//! Which headers pass, both ways.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Marks an answer of the service.
pub(crate) const MARK: HeaderName = HeaderName::from_static("tokentoss-through");

/// Those of one connection (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What a caller could pretend to be by, what changes the request behind the rule's back, and what the broker sets itself.
const NOT_SENT: [&str; 34] = [
    "authorization",
    "client-ip",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "front-end-https",
    "host",
    "origin",
    "referer",
    "remote-user",
    "ssl-client-cert",
    "true-client-ip",
    "via",
    "x-apigateway-api-userinfo",
    "x-api-key",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-email",
    "x-endpoint-api-userinfo",
    "x-groups",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-serverless-authorization",
    "x-user",
    "x-username",
];

/// Families of the same.
const FAMILIES_NOT_SENT: [&str; 17] = [
    "cf-",
    "fastly-",
    "proxy-",
    "sec-",
    "tailscale-",
    "tokentoss-",
    "x-amz-",
    "x-amzn-",
    "x-auth-",
    "x-azure-",
    "x-envoy-",
    "x-forwarded-",
    "x-goog-",
    "x-ms-client-principal",
    "x-remote-",
    "x-ssl-",
    "x-tokentoss-",
];

/// What a service may not say in the broker's name, nor have a proxy or a cache in front of the broker do.
const NOT_RETURNED: [&str; 17] = [
    "alt-svc",
    "authorization",
    "cdn-cache-control",
    "clear-site-data",
    "cloudflare-cdn-cache-control",
    "content-length",
    "cookie",
    "edge-control",
    "public-key-pins",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "surrogate-control",
    "x-lighttpd-send-file",
    "x-serverless-authorization",
    "forwarded",
];

const FAMILIES_NOT_RETURNED: [&str; 9] = [
    "access-control-",
    "proxy-",
    "tokentoss-",
    "x-accel-",
    "x-forwarded-",
    "x-goog-",
    "x-litespeed-",
    "x-reproxy-",
    "x-sendfile",
];

/// The headers of the request that is sent. `naming` are those by which callers name tenants and users.
pub(super) fn to_service(headers: &HeaderMap, naming: &[String]) -> HeaderMap {
    passed(headers, |name| {
        NOT_SENT.contains(&name)
            || FAMILIES_NOT_SENT.iter().any(|family| name.starts_with(family))
            || naming.iter().any(|naming| folded(naming) == name)
    })
}

/// The headers of the answer that is passed on.
pub(super) fn to_caller(headers: &HeaderMap) -> HeaderMap {
    let mut passed = passed(headers, |name| {
        NOT_RETURNED.contains(&name) || FAMILIES_NOT_RETURNED.iter().any(|family| name.starts_with(family))
    });
    passed.insert(MARK, HeaderValue::from_static("1"));
    passed
}

/// Whether a request wants another protocol.
pub(super) fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) || connection_names(headers).any(|name| name == "upgrade")
}

fn passed(headers: &HeaderMap, is_refused: impl Fn(&str) -> bool) -> HeaderMap {
    let of_connection: Vec<String> = connection_names(headers).collect();
    let mut passed = HeaderMap::new();
    for (name, value) in headers {
        let plain = folded(name.as_str());
        let stays_here = HOP_BY_HOP.contains(&plain.as_str()) || of_connection.contains(&plain);
        if !stays_here && !is_refused(&plain) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// The headers that `Connection` names.
fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(header::CONNECTION).into_iter();
    let text = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let names = text.flat_map(|text| text.split(',').map(|name| folded(name.trim())).collect::<Vec<_>>());
    names.filter(|name| !name.is_empty())
}

/// A name as servers with CGI variables read it, for which `_` and `-` are one.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
