"""Which headers of a call that the fake broker makes pass, both ways.

A selection of what the broker keeps back, in its notation: a name may begin or end with ``*``.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Headers = Iterable[tuple[str, str]]

HOP_BY_HOP = (
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)

NOT_SENT = (
    "authorization",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "origin",
    "proxy-*",
    "referer",
    "remote-*",
    "sec-*",
    "tokentoss-*",
    "via",
    "x-api-key",
    "x-auth-*",
    "x-forwarded*",
    "x-goog-*",
    "x-http-method*",
    "x-method*",
    "x-original-*",
    "x-real-ip",
    "x-remote-*",
    "x-rewrite-*",
    "x-serverless-authorization",
    "x-tokentoss-*",
)

NOT_RETURNED = (
    "*-cache-control",
    "access-control-*",
    "alt-svc",
    "authorization",
    "clear-site-data",
    "content-length",
    "content-security-policy*",
    "cookie",
    "nel",
    "proxy-*",
    "refresh",
    "report-to",
    "service-worker-*",
    "set-cookie",
    "strict-transport-security",
    "surrogate-*",
    "tokentoss-*",
    "x-accel-*",
    "x-forwarded*",
    "x-goog-*",
    "x-sendfile*",
    "x-tokentoss-*",
)


def to_service(headers: Headers) -> dict[str, str]:
    """Return the headers of a request that its service gets."""
    return _passed(headers, NOT_SENT)


def to_caller(headers: Headers, account: str) -> dict[str, str]:
    """Return the headers of an answer that the caller gets, with what marks it as a service's.

    Args:
        headers: Those of the service.
        account: The identifier of the account whose token was sent.
    """
    marks = {"Tokentoss-Through": "1", "Tokentoss-Account": account}
    return {**_passed(headers, NOT_RETURNED), **marks}


def _passed(headers: Headers, kept_back: tuple[str, ...]) -> dict[str, str]:
    headers = list(headers)
    of_connection = {
        _folded(name.strip())
        for header, value in headers
        if header.lower() == "connection"
        for name in value.split(",")
    }

    def passes(name: str) -> bool:
        patterns = (*HOP_BY_HOP, *kept_back)
        return name not in of_connection and not any(fnmatchcase(name, pattern) for pattern in patterns)

    return {name: value for name, value in headers if passes(_folded(name))}


def _folded(name: str) -> str:
    """Return a name as servers with CGI variables read it, for which ``_`` and ``-`` are one."""
    return name.lower().replace("_", "-")
