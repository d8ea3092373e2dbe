"""Calls that the fake broker makes for its caller, to targets that the test names."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tokentoss.broker.fake.lookups import meant
from tokentoss.broker.fake.problems import ProblemError

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from tokentoss.broker.fake.state import State


_DROPPED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "set-cookie",
        "transfer-encoding",
    }
)


def _passes(name: str) -> bool:
    return name.lower() not in _DROPPED and not name.lower().startswith(("tokentoss-", "x-tokentoss-"))


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
        if grant.status != "active":
            raise ProblemError("reauth_required", cause=grant.cause)
        if grant.expires_at - time.time() < 1:
            broker.renew(grant)
        by_id_token = request.headers.get("X-Tokentoss-Credential") == "id_token"
        token = grant.id_token if by_id_token else grant.access_token
    real = urlsplit(broker.targets[host])
    headers = {name: value for name, value in request.headers.items() if _passes(name)}
    headers |= {"Authorization": f"Bearer {token}", "Host": host}
    connection = http.client.HTTPConnection(real.hostname or "", real.port, timeout=10)
    try:
        target = "/" + (rest[0] if rest else "") + (f"?{query}" if query else "")
        connection.request(request.command, target, body or None, headers)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if _passes(name)}
        marks = {"Tokentoss-Through": "1", "Tokentoss-Account": grant.id}
        return answer.status, kept | marks, answer.read()
    except OSError:
        raise ProblemError("target_unavailable") from None
    finally:
        connection.close()
