"""Which headers of a call that the fake broker makes pass, both ways: as the broker has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    Headers = Iterable[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    }
)

NOT_SENT = frozenset(
    {
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
    }
)

FAMILIES_NOT_SENT = (
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
)

NOT_RETURNED = frozenset(
    {
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
    }
)

FAMILIES_NOT_RETURNED = (
    "access-control-",
    "proxy-",
    "tokentoss-",
    "x-accel-",
    "x-forwarded-",
    "x-goog-",
    "x-litespeed-",
    "x-reproxy-",
    "x-sendfile",
)


def to_service(headers: Headers) -> dict[str, str]:
    """Return the headers of a request that its service gets."""
    return _passed(headers, NOT_SENT, FAMILIES_NOT_SENT)


def to_caller(headers: Headers) -> dict[str, str]:
    """Return the headers of an answer that the caller gets, with the mark of a service's answer."""
    return {**_passed(headers, NOT_RETURNED, FAMILIES_NOT_RETURNED), "Tokentoss-Through": "1"}


def _passed(headers: Headers, names: Collection[str], families: tuple[str, ...]) -> dict[str, str]:
    headers = list(headers)
    of_connection = {
        _folded(name.strip())
        for header, value in headers
        if header.lower() == "connection"
        for name in value.split(",")
    }
    refused = {*HOP_BY_HOP, *names, *of_connection}
    return {
        name: value
        for name, value in headers
        if _folded(name) not in refused and not _folded(name).startswith(families)
    }


def _folded(name: str) -> str:
    """Return a name as servers with CGI variables read it, for which ``_`` and ``-`` are one."""
    return name.lower().replace("_", "-")
