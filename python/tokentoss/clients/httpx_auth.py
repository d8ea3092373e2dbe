"""The ID token for ``httpx``, in its blocking and its asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.allowed_origins import Binding, Bound

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
    renewal happens in another thread, so it holds nothing up.

    Args:
        manager: Whose token to send.
        allowed_origins: The origins that may have it, for a client whose addresses come from
            elsewhere; by default every https origin, and http on this machine.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the token on a request, and on its repetition after a 401."""
        token = self._binding.token_for(str(request.url))
        response = yield _with_token(request, token)
        if _may_repeat(request, response):
            newer = self._binding.token_after(token)
            if newer is not None:
                response.read()
                yield _with_token(request, newer)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Set the token on a request, and on its repetition after a 401."""
        token = await anyio.to_thread.run_sync(self._binding.token_for, str(request.url))
        response = yield _with_token(request, token)
        if _may_repeat(request, response):
            newer = await anyio.to_thread.run_sync(self._binding.token_after, token)
            if newer is not None:
                await response.aread()
                yield _with_token(request, newer)


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _may_repeat(request: httpx.Request, response: httpx.Response) -> bool:
    # After a redirect the answer may be another origin's; a stream has been read.
    return (
        response.status_code == httpx.codes.UNAUTHORIZED
        and isinstance(request.stream, httpx.ByteStream)
        and Binding.is_same_origin(str(response.request.url), str(request.url))
    )
