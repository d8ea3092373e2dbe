"""Bounded HTTP calls to a provider: no redirects, a deadline, a size limit, no credentials of others."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tokentoss.util.pyodide import in_browser
from tokentoss.util.urls import is_plain_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

DEADLINE = 10.0
"""Seconds that a whole call may take."""

CONNECT_TIMEOUT = 4.0
"""Seconds until a connection must stand."""


LONGEST_RETRY_AFTER = 3600
"""Seconds that a provider's Retry-After counts for at most."""


class TransportError(Exception):
    """A call got no usable answer; ``reason`` is ``unreachable`` or ``too_large``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer within the limits."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json_object(self) -> dict[str, Any] | None:
        """Return the body as a JSON object, or None if it is anything else."""
        try:
            value = json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def retry_after(self) -> float | None:
        """Return the seconds that ``Retry-After`` asks to wait (RFC 9110 section 10.2.3), an hour at most."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return float(min(int(value[:9]), LONGEST_RETRY_AFTER))
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def call(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    bearer: str | None = None,
    authorization: str | None = None,
    max_bytes: int = 65_536,
    deadline: float = DEADLINE,
) -> Answer:
    """Make one call and read its whole answer.

    Args:
        method: ``GET`` or ``POST``.
        url: An endpoint that was checked to be https, or http on loopback.
        form: Fields of a form-encoded body.
        bearer: An access token for the call.
        authorization: The whole header ``Authorization``, for any other scheme.
        max_bytes: Largest body that is read, in bytes.
        deadline: Seconds for the whole call.

    Raises:
        TransportError: If there is no answer in time, or it is too large.
    """
    import requests  # noqa: PLC0415 - a widget shows before it needs the network
    import urllib3  # noqa: PLC0415

    ends = time.monotonic() + deadline
    headers = {"Accept": "application/json"}
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    if authorization is not None:
        headers["Authorization"] = authorization
    try:
        with requests.Session() as session:
            # A proxy of the environment must not see what is meant for this machine.
            session.trust_env = not is_plain_loopback(url)
            with session.request(
                method,
                url,
                data=form,
                headers=headers,
                auth=_no_netrc,
                allow_redirects=False,
                timeout=(min(CONNECT_TIMEOUT, deadline), deadline),
                stream=True,
            ) as response:
                body = _read(response, max_bytes, ends)
                return Answer(response.status_code, response.headers, body)
    except (requests.RequestException, urllib3.exceptions.HTTPError):
        # Its text may hold addresses of proxies and, on some errors, parts of the request.
        raise TransportError("unreachable") from None


def _read(response: requests.Response, max_bytes: int, ends: float) -> bytes:
    body = bytearray()
    # read1 returns what has arrived, so that a body that drips meets its deadline. The response that urllib3
    # has for browsers knows it not; its read does the same.
    read = response.raw.read if in_browser() else response.raw.read1
    while chunk := read(8192, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            raise TransportError("too_large")
        if time.monotonic() > ends:
            raise TransportError("unreachable")
    return bytes(body)


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # An explicit auth keeps requests from adding a password of ~/.netrc.
    return request


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
