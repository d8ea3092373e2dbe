"""One call of a client: sent with the token, through the right proxy, and cleaned of the token afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from tokentoss.clients.errors import ServiceTimeoutError, ServiceUnreachableError
from tokentoss.util.failures import ConnectError, without_frames
from tokentoss.util.http import error_of
from tokentoss.util.proxies import Proxy, checked_proxy, proxy_for
from tokentoss.util.pyodide import in_browser
from tokentoss.util.secret import Secret, bearer_header
from tokentoss.util.urls import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Callable

_WAY = ("timeout", "stream", "verify", "cert")
"""The arguments of ``requests.Session.request`` that say how a request is sent."""


@dataclass(frozen=True)
class Call:
    """A call without its token.

    Args:
        method: The HTTP method.
        url: The address.
        named: The arguments of ``requests.Session.request``.
    """

    method: str
    url: str
    named: dict[str, Any] = field(repr=False)

    @property
    def is_replayable(self) -> bool:
        """Whether the body can be sent again."""
        if self.named.get("files"):
            return False
        return isinstance(self.named.get("data"), (type(None), bytes, str, dict, list, tuple))

    def following(self, target: str, status: int) -> Call | None:
        """Return the call that follows a redirect (RFC 9110 section 15.4); None if it cannot be sent."""
        dropped = {"params"}
        method = self.method
        if _becomes_get(method, status):
            method = "GET"
            dropped |= {"data", "json", "files"}
        elif not self.is_replayable:
            return None
        return Call(
            method, target, {name: value for name, value in self.named.items() if name not in dropped}
        )


def send(session: requests.Session, call: Call, token: str, header: str) -> requests.Response:
    """Send a call, without following redirects, and take the token off the request of its answer.

    Args:
        session: What the connections belong to.
        call: The call.
        token: The token.
        header: The header that carries it.

    Raises:
        ServiceUnreachableError: If there is no answer (also a requests.ConnectionError).
    """
    outcome = _outcome(session, call, _Carried(token, header, call.named.get("auth")))
    if isinstance(outcome, BaseException):
        # Raised here, it leaves the frames behind in which the request's bytes are.
        raise outcome
    return outcome


def without_token(request: Any, header: str) -> None:
    """Take the token off a request that users get to see, pickle or log."""
    if request is not None and isinstance(request.headers.get(header), Secret):
        del request.headers[header]


def _outcome(session: requests.Session, call: Call, auth: _Carried) -> requests.Response | BaseException:
    proxy: Proxy | None = None
    # As Session.request does it, but for the settings of the environment, which do not count here.
    way = {name: call.named[name] for name in _WAY if call.named.get(name) is not None}
    content = {name: value for name, value in call.named.items() if name not in _WAY}
    content["auth"] = auth
    content.pop("proxies", None)
    try:
        proxy = None if in_browser() else _proxy(call)
        proxies: dict[str, str] = {urlsplit(call.url).scheme: proxy.url} if proxy is not None else {}
        request = session.prepare_request(requests.Request(call.method.upper(), call.url, **content))
        response = session.send(request, allow_redirects=False, proxies=proxies, **way)
    except ConnectError as failure:
        reason = error_of(failure, call.url, proxy)
        kind = ServiceUnreachableError
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as failure:
        verify = call.named.get("verify")
        reason = error_of(failure, call.url, proxy, verify=verify if isinstance(verify, str) else None)
        kind = ServiceTimeoutError if isinstance(failure, requests.Timeout) else ServiceUnreachableError
    except BaseException as failure:  # noqa: BLE001 - the caller raises it; a user interrupts calls as well
        without_token(getattr(failure, "request", None), auth.header)
        return without_frames(failure)
    else:
        without_token(response.request, auth.header)
        return response
    code, subject = reason.named("service_unreachable", "service_unreachable", call.url.partition("?")[0])
    return kind(code=code, subject=subject)


def _proxy(call: Call) -> Proxy | None:
    own = call.named.get("proxies")
    if own is None:
        return proxy_for(call.url)
    value = requests.utils.select_proxy(call.url, own)
    if not value or is_loopback_host(urlsplit(call.url).hostname or ""):
        return None
    return checked_proxy(value, "proxies")


class _Carried(requests.auth.AuthBase):
    """Sets the token, beside the caller's own authentication where that has a header of its own."""

    def __init__(self, token: str, header: str, own: Any) -> None:
        self._token = Secret(token)
        self.header = header
        self._own: Callable[[Any], Any] | None = None
        if isinstance(own, tuple):
            self._own = requests.auth.HTTPBasicAuth(*own)
        elif own is not None:
            self._own = own

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._own is not None:
            request = self._own(request)
        request.headers[self.header] = bearer_header(self._token)
        return request


def _becomes_get(method: str, status: int) -> bool:
    """Tell whether a redirect is followed with GET (RFC 9110 section 15.4): 303, and POST on 301 and 302."""
    if method.upper() in {"GET", "HEAD"}:
        return False
    return status == 303 or (status in {301, 302} and method.upper() == "POST")  # noqa: PLR2004
