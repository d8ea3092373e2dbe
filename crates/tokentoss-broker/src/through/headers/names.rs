//! Which names do not pass, and why. A name may begin or end with `*`.

/// Those of one connection (RFC 9110 section 7.6.1).
pub(super) const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a request may not bring to a service.
pub(super) const NOT_SENT: &[&[&str]] =
    &[REPLACED, CREDENTIALS, OF_A_BROWSER, OF_PROXIES, OF_SIGN_IN_PROXIES, ANOTHER_REQUEST];

/// The broker says it itself, or tells it to nobody.
const REPLACED: &[&str] = &["content-length", "expect", "host", "tokentoss-*", "x-tokentoss-*"];

/// Another right than the user's token; the caller's own key is one.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "cookie",
    "cookie2",
    "proxy-*",
    "x-access-token",
    "x-api-key",
    "x-serverless-authorization",
];

/// What a browser says of the page that calls the broker: it is none of the service's, and CORS of the service would be about it.
const OF_A_BROWSER: &[&str] = &["access-control-*", "origin", "referer", "sec-*"];

/// By what proxies tell services who connected, to what and whether by TLS: the broker is who connects.
const OF_PROXIES: &[&str] = &[
    "cf-*",
    "client-ip",
    "early-data",
    "fastly-*",
    "forwarded",
    "front-end-https",
    "ssl-*",
    "true-client-ip",
    "via",
    "x-azure-*",
    "x-client-cert*",
    "x-client-dn",
    "x-client-ip",
    "x-client-verify",
    "x-cluster-client-ip",
    "x-envoy-*",
    "x-forward-for",
    "x-forwarded*",
    "x-host",
    "x-originating-*",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-scheme",
    "x-ssl-*",
    "x-url-scheme",
];

/// By what proxies that sign people in tell services who it is.
const OF_SIGN_IN_PROXIES: &[&str] = &[
    "remote-*",
    "tailscale-*",
    "x-amz-*",
    "x-amzn-*",
    "x-apigateway-api-userinfo",
    "x-auth-*",
    "x-authenticated-*",
    "x-authentik-*",
    "x-consumer-*",
    "x-credential-*",
    "x-email",
    "x-endpoint-api-userinfo",
    "x-goog-*",
    "x-groups",
    "x-jwt-assertion",
    "x-ms-client-principal*",
    "x-pomerium-*",
    "x-remote-*",
    "x-user",
    "x-username",
    "x-vouch-*",
    "x-webauth-*",
];

/// Makes another request of it than the one that the administrator's rule allowed: another method, path or host.
const ANOTHER_REQUEST: &[&str] = &[
    "http-method*",
    "method-override",
    "x-http-host-override",
    "x-http-method*",
    "x-http-verb*",
    "x-method*",
    "x-original-*",
    "x-override-*",
    "x-rewrite-*",
    "x-verb-override",
];

/// What an answer of a service may not bring to the caller.
pub(super) const NOT_RETURNED: &[&[&str]] = &[
    OF_THE_BROKER,
    KEPT_FOR_THE_ORIGIN,
    REPORTS,
    OPENS_THE_ORIGIN,
    OF_A_PAGE,
    ACTS_IN_THE_BROWSER,
    TO_PROXIES,
    TO_CACHES,
];

/// The broker says it itself, or nobody does in an answer.
const OF_THE_BROKER: &[&str] = &[
    "authorization",
    "content-length",
    "cookie",
    "forwarded",
    "proxy-*",
    "tokentoss-*",
    "via",
    "x-forwarded*",
    "x-goog-*",
    "x-serverless-authorization",
    "x-tokentoss-*",
];

/// A browser keeps it for the broker's origin, or throws away what it kept.
const KEPT_FOR_THE_ORIGIN: &[&str] = &[
    "accept-ch*",
    "activate-storage-access",
    "alt-svc",
    "attribution-reporting-*",
    "authentication-*",
    "clear-site-data",
    "critical-ch",
    "dictionary-id",
    "expect-ct",
    "expect-staple*",
    "origin-agent-cluster",
    "public-key-pins*",
    "sec-*",
    "secure-session-*",
    "service-worker-*",
    "set-cookie",
    "set-cookie2",
    "set-login",
    "strict-transport-security",
    "use-as-dictionary",
];

/// Tells the service of requests to the broker.
const REPORTS: &[&str] = &["nel", "report-to", "reporting-endpoints"];

/// Lets other origins at the broker's answers, or at what they tell.
const OPENS_THE_ORIGIN: &[&str] =
    &["access-control-*", "cross-origin-*", "timing-allow-origin", "x-permitted-cross-domain-policies"];

/// Rules of a page. An answer is no page of the broker's, and is given its own rules.
const OF_A_PAGE: &[&str] = &[
    "content-security-policy*",
    "document-*",
    "feature-policy*",
    "integrity-policy*",
    "origin-trial",
    "permissions-policy*",
    "referrer-policy",
    "require-document-policy",
    "supports-loading-mode",
    "x-content-security-policy*",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-webkit-csp*",
    "x-xss-protection",
];

/// Has a browser go somewhere or fetch something.
const ACTS_IN_THE_BROWSER: &[&str] = &[
    "ad-auction-*",
    "no-vary-search",
    "observe-browsing-topics",
    "refresh",
    "shared-storage-*",
    "sourcemap",
    "speculation-rules",
    "x-sourcemap",
];

/// Commands a proxy in front of the broker.
const TO_PROXIES: &[&str] =
    &["x-accel-*", "x-envoy-*", "x-lighttpd-send-file", "x-litespeed-*", "x-reproxy-*", "x-sendfile*"];

/// Commands a cache in front of the broker, where `Cache-Control: no-store` would not be the last word.
const TO_CACHES: &[&str] = &["*-cache-control", "cache-group*", "edge-control", "surrogate-*"];

/// Relations of `Link` that have a browser connect or fetch; the others, as those of pages of a list, are the caller's.
pub(super) const LINKS_NOT_RETURNED: &[&str] = &[
    "compression-dictionary",
    "dns-prefetch",
    "expect",
    "icon",
    "manifest",
    "modulepreload",
    "preconnect",
    "prefetch",
    "preload",
    "prerender",
    "serviceworker",
    "stylesheet",
];

/// Schemes of `WWW-Authenticate` that say something to the caller about the token. For others a browser asks the user for a
/// password, or sends what the machine has, to the broker's origin.
pub(super) const CHALLENGES_RETURNED: &[&str] = &["bearer", "dpop"];

/// Whether a name is on one of these lists.
pub(super) fn is_listed(name: &str, lists: &[&[&str]]) -> bool {
    lists.iter().copied().flatten().any(|listed| match (listed.strip_prefix('*'), listed.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(beginning)) => name.starts_with(beginning),
        (None, None) => name == *listed,
    })
}
