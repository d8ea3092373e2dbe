"""Calls that the fake broker makes for its caller, to targets that the test names."""

from __future__ import annotations

import http.client
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tokentoss.broker.fake.lookups import meant
from tokentoss.broker.fake.problems import ProblemError
from tokentoss.broker.fake.through_headers import to_caller, to_service

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from tokentoss.broker.fake.state import Grant, State


_REPEATED = 65_536
"""A longer body is sent once."""


def through(
    broker: State, owner: tuple[str, str], request: BaseHTTPRequestHandler, body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Make a call for the caller, and return status, headers and body of the service's answer.

    ``broker.targets`` says which hosts are allowed, and where each really is.

    Raises:
        ProblemError: Why there was no call.
    """
    path, _, query = request.path.partition("?")
    _, _, _, provider, host, *rest = path.split("/", 5)
    broker.requests.append((request.command, request.path, {}))
    if broker.failures:
        raise ProblemError(**broker.failures.pop(0))
    if host not in broker.targets:
        raise ProblemError("target_forbidden")
    name = request.headers.get("X-Tokentoss-Account")
    with broker.changed:
        grant = meant(broker, owner, provider, name)
    by_id_token = request.headers.get("X-Tokentoss-Credential") == "id_token"
    headers = {**to_service(request.headers.items()), "Host": host}
    target = "/" + (rest[0] if rest else "") + (f"?{query}" if query else "")
    refused: str | None = None
    while True:
        token = _token(broker, grant, refused, by_id_token=by_id_token)
        headers["Authorization"] = f"Bearer {token}"
        status, answered, content = _call(broker.targets[host], request.command, target, body, headers)
        if status != HTTPStatus.UNAUTHORIZED or refused is not None or len(body) > _REPEATED:
            return status, to_caller(answered, grant.id), content
        refused = token


def _token(broker: State, grant: Grant, refused: str | None, *, by_id_token: bool) -> str:
    """Return a token of an account: another one than a service refused.

    Raises:
        ProblemError: ``reauth_required``.
    """
    with broker.changed:
        if grant.status != "active":
            raise ProblemError("reauth_required", cause=grant.cause)
        current = grant.id_token if by_id_token else grant.access_token
        if grant.expires_at - time.time() < 1 or current == refused:
            broker.renew(grant)
        return grant.id_token if by_id_token else grant.access_token


def _call(
    origin: str, method: str, target: str, body: bytes, headers: dict[str, str]
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Call a service.

    Raises:
        ProblemError: ``target_unavailable``.
    """
    real = urlsplit(origin)
    connection = http.client.HTTPConnection(real.hostname or "", real.port, timeout=10)
    try:
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    except OSError:
        raise ProblemError("target_unavailable") from None
    finally:
        connection.close()
