"""The ID token for ``httpx``, in its blocking and its asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.allowed_origins import Bound
from tokentoss.clients.repetition import may_repeat
from tokentoss.util.secret import Secret, bearer_header

try:
    import anyio.to_thread
    import httpx
except ImportError as missing:
    raise ImportError('HTTPXAuth needs httpx: pip install "tokentoss[httpx]"') from missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator


class HTTPXAuth(Bound, httpx.Auth):
    """Sends the ID token with calls of ``httpx``, as ``auth`` of a call or of a client.

    On a 401 the token is renewed and the call repeated once, if its body can be sent again. ``httpx``
    takes the token off when it follows a redirect to another origin. In an asynchronous client a
    renewal happens in another thread, so it holds nothing up. The token is taken off the request that
    comes with the answer.

    Args:
        manager: Whose token to send.
        allowed_origins: The origins that may have it, for a client whose addresses come from
            elsewhere; by default every https origin, and http on this machine.
        access_token: Whether to send the access token instead of the ID token.
        broker: The broker to ask, in place of a manager.
        provider: The provider whose tokens the broker is asked for; by default Google.
        credentials: The service account whose ID token to send, in place of both; without any of the three,
            that of ``TOKENTOSS_SERVICE_CREDENTIALS``.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the token on a request, and on its repetition after a 401."""
        token = self._binding.token_for(str(request.url), _own(request))
        try:
            response = yield _with_token(request, token)
            if _may_repeat(request, response):
                newer = self._binding.token_after(token)
                if newer is not None:
                    response.read()
                    _clean(response)
                    response = yield _with_token(request, newer)
            _clean(response)
        finally:
            _remove(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Set the token on a request, and on its repetition after a 401."""
        token = await anyio.to_thread.run_sync(self._binding.token_for, str(request.url), _own(request))
        try:
            response = yield _with_token(request, token)
            if _may_repeat(request, response):
                newer = await anyio.to_thread.run_sync(self._binding.token_after, token)
                if newer is not None:
                    await response.aread()
                    _clean(response)
                    response = yield _with_token(request, newer)
            _clean(response)
        finally:
            _remove(request)


def _own(request: httpx.Request) -> str | None:
    value: str | None = request.headers.get("Authorization")
    return value


def _with_token(request: httpx.Request, token: Secret) -> httpx.Request:
    request.headers["Authorization"] = bearer_header(token)
    return request


def _remove(request: httpx.Request | None) -> None:
    if request is not None:
        request.headers.pop("Authorization", None)


def _clean(response: httpx.Response) -> None:
    """Take the token off the requests that come with an answer, which users pickle and log."""
    for one in (response, *response.history):
        _remove(one.request)
    _remove(response.next_request)


def _may_repeat(request: httpx.Request, response: httpx.Response) -> bool:
    return may_repeat(
        response.status_code,
        asked=str(request.url),
        answered=str(response.request.url),
        # A stream has been read.
        replayable=isinstance(request.stream, httpx.ByteStream),
    )
