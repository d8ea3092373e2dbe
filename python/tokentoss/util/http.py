"""Bounded HTTP calls to a provider: no redirects, a deadline, a size limit, no credentials of others."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tokentoss.util import failures
from tokentoss.util.certificates import shown_source
from tokentoss.util.deadline import Deadline
from tokentoss.util.failures import TOO_LARGE, UNREACHABLE, ConnectError, TransportError, without_frames
from tokentoss.util.json_object import read_object
from tokentoss.util.proxies import Proxy, proxy_for
from tokentoss.util.pyodide import in_browser
from tokentoss.util.secret import Secret, bearer_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

DEADLINE = 10.0
"""Seconds that a whole call may take: names, connections, headers and body together."""

CONNECT_TIMEOUT = 4.0
"""Seconds until a connection must stand, whichever of the host's addresses it is to."""

LONGEST_RETRY_AFTER = 3600
"""Seconds that a provider's Retry-After counts for at most."""

_CHUNK = 8192


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer within the limits."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json_object(self) -> dict[str, Any] | None:
        """Return the body as a JSON object, as :func:`read_object` does, or None if it is anything else."""
        try:
            return read_object(self.body.decode("utf-8"))
        except UnicodeDecodeError:
            return None

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
    json: str | None = None,
    body: bytes | None = None,
    bearer: str | None = None,
    authorization: str | None = None,
    more_headers: Mapping[str, str] | None = None,
    max_bytes: int = 65_536,
    deadline: float = DEADLINE,
) -> Answer:
    """Make one call and read its whole answer.

    Args:
        method: ``GET``, ``POST`` or ``DELETE``.
        url: An endpoint that was checked to be https, or http on loopback.
        form: Fields of a form-encoded body.
        json: A JSON document, as the body in place of a form.
        body: A body of any other kind, whose type stands in `more_headers`.
        bearer: An access token for the call.
        authorization: The whole header ``Authorization``, for any other scheme.
        more_headers: Further headers.
        max_bytes: Largest body that is read, in bytes.
        deadline: Seconds for the whole call.

    Raises:
        TransportError: If there is no answer in time, or it is too large.
    """
    # Nothing of ours is compressed: a small body must not become a large one.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **(more_headers or {})}
    if json is not None:
        headers["Content-Type"] = "application/json"
    if bearer is not None:
        headers["Authorization"] = bearer_header(bearer)
    if authorization is not None:
        headers["Authorization"] = Secret(authorization)
    # A traceback with local variables shows this frame.
    del bearer, authorization
    content = form if json is None else json
    outcome = _outcome(method, url, content if body is None else body, headers, max_bytes, deadline)
    if isinstance(outcome, BaseException):
        # Raised here, it leaves the frames behind in which the request's bytes are.
        raise outcome
    return outcome


def _outcome(
    method: str,
    url: str,
    body: Mapping[str, str] | str | bytes | None,
    headers: dict[str, str],
    max_bytes: int,
    seconds: float,
) -> Answer | BaseException:
    import requests  # noqa: PLC0415 - a widget shows before it needs the network
    import urllib3  # noqa: PLC0415

    proxy: Proxy | None = None
    deadline = Deadline(seconds)
    try:
        proxy = None if in_browser() else proxy_for(url)
        with deadline, new_session() as session:
            return _answered(session, method, url, body, headers, proxy, max_bytes, deadline)
    except TransportError as failure:
        return TransportError(failure.reason, failure.subject, was_sent=failure.was_sent)
    except ConnectError as failure:
        return _not_connected(failure, url, proxy)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as failure:
        return error_of(failure, url, proxy, deadline=deadline)
    except BaseException as failure:  # noqa: BLE001 - the caller raises it; a user interrupts calls as well
        return without_frames(failure)


def _answered(
    session: requests.Session,
    method: str,
    url: str,
    body: Mapping[str, str] | str | bytes | None,
    headers: dict[str, str],
    proxy: Proxy | None,
    max_bytes: int,
    deadline: Deadline,
) -> Answer:
    left = deadline.ends - time.monotonic()
    with session.request(
        method,
        url,
        data=body,
        headers=headers,
        allow_redirects=False,
        timeout=(min(CONNECT_TIMEOUT, left), left),
        stream=True,
        proxies={urlsplit(url).scheme: proxy.url} if proxy is not None else None,
    ) as response:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        # Browsers ask for encodings and decode them by themselves.
        if encoding not in {"", "identity"} and not in_browser():
            raise TransportError("answer_encoded", f"{url} ({encoding[:40]})", was_sent=True)
        content = _read(response, max_bytes, url, deadline)
        return Answer(response.status_code, response.headers, content)


def new_session() -> requests.Session:
    """Return a session that takes nothing of the environment by itself: no proxy, no password of ~/.netrc."""
    import requests  # noqa: PLC0415 - a widget shows before it needs the network

    session = requests.Session()
    session.trust_env = False
    if not in_browser():
        from tokentoss.util.connections import Adapter  # noqa: PLC0415 - browsers make their own connections

        adapter = Adapter()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
    return session


def error_of(
    failure: Exception,
    url: str,
    proxy: Proxy | None,
    *,
    deadline: Deadline | None = None,
    verify: str | None = None,
) -> TransportError:
    """Return why a call failed, from what requests, urllib3 or a socket says.

    Args:
        failure: What was raised.
        url: The address of the call.
        proxy: The proxy that it went through.
        deadline: The deadline of the call.
        verify: The path of certificates that a caller gave.
    """
    if isinstance(failure, ConnectError):
        return _not_connected(failure, url, proxy)
    status = failures.is_refused_by_proxy(failure)
    if status is not None:
        shown = proxy.shown if proxy is not None else ""
        return TransportError(failures.reason_of_refusal(status), f"{shown} (HTTP {status})")
    problem = failures.certificate_problem(failure)
    if problem is not None:
        whose = proxy.shown if proxy is not None and failures.is_of_proxy(failure) else _host(url)
        return TransportError(
            "certificate_untrusted", f"{whose} ({problem}; trusted: {shown_source(verify)})"
        )
    if proxy is not None and failures.is_of_proxy(failure):
        return TransportError("proxy_unreachable", proxy.shown)
    if isinstance(failure, ValueError) and not isinstance(failure, OSError):
        return TransportError(UNREACHABLE, _shown(url))
    late = deadline is not None and (deadline.has_passed or time.monotonic() >= deadline.ends)
    return TransportError(
        "answer_incomplete", _shown(url) + (" (no answer in time)" if late else ""), was_sent=True
    )


def _not_connected(failure: ConnectError, url: str, proxy: Proxy | None) -> TransportError:
    detail = f" ({failure.subject})" if failure.subject else ""
    if failure.reason.startswith("proxy_"):
        shown = proxy.shown if proxy is not None else failure.subject
        refused = failure.reason == "proxy_refused" and proxy is not None
        return TransportError(failure.reason, f"{shown}{detail}" if refused else shown)
    if failure.reason == UNREACHABLE:
        return TransportError(UNREACHABLE, _shown(url) + detail)
    return TransportError(failure.reason, failure.subject)


def _read(response: requests.Response, max_bytes: int, url: str, deadline: Deadline) -> bytes:
    body = bytearray()
    # read1 returns what has arrived, so that a body that drips meets its deadline. The response that urllib3
    # has for browsers knows it not; its read does the same.
    browser = in_browser()
    read = response.raw.read if browser else response.raw.read1
    while chunk := read(_CHUNK, decode_content=browser):
        body += chunk
        if len(body) > max_bytes:
            raise TransportError(TOO_LARGE, was_sent=True)
        if time.monotonic() > deadline.ends:
            break
    if deadline.has_passed or time.monotonic() > deadline.ends:
        raise TransportError("answer_incomplete", f"{_shown(url)} (no answer in time)", was_sent=True)
    return bytes(body)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname or url


def _shown(url: str) -> str:
    """Return an address without its query, which may hold more than a sentence should show."""
    return url.partition("?")[0]
