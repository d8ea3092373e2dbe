"""The token of whoever is signed in, for ``requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from tokentoss.clients.allowed_origins import Bound
from tokentoss.clients.repetition import may_repeat
from tokentoss.util.secret import Secret, bearer_header

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_NAME = "authorization"


class RequestsAuth(Bound, AuthBase):
    """Sends the ID token with calls of ``requests``, as ``auth`` of a call or of a session.

    On a 401 the token is renewed and the call repeated once, if its body can be sent again. ``requests``
    takes the token off when it follows a redirect to another host; a password of ``~/.netrc`` does not
    replace it on the way. The token is taken off the request that comes with the answer.

    Args:
        manager: Whose token to send.
        allowed_origins: The origins that may have it, for a session whose addresses come from
            elsewhere; by default every https origin, and http on this machine.
        access_token: Whether to send the access token instead of the ID token.
        broker: The broker to ask, in place of a manager.
        provider: The provider whose tokens the broker is asked for; by default Google.
        credentials: The service account whose ID token to send, in place of both; without any of the three,
            that of ``TOKENTOSS_SERVICE_CREDENTIALS``.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the token on a request.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
            ConfigurationError: ``origin_not_allowed``, ``address_insecure``, ``authorization_taken``, or
                ``proxy_for_loopback``.
        """
        url = request.url or ""
        token = self._binding.token_for(url, request.headers.get(_NAME))
        request.headers = _Headers(request.headers)
        request.headers["Authorization"] = bearer_header(token)
        hook = _Hook(self, request, url, token)
        request.register_hook("response", hook)  # type: ignore[no-untyped-call]
        return request

    def repeated(self, response: Response, url: str, token: Secret, named: dict[str, Any]) -> Response:
        """Return the answer to the repetition with a newer token, or the answer itself."""
        request = response.request
        # Without the token, it was another call's that was refused.
        is_own = request.headers.get(_NAME) == bearer_header(token)
        replayable = is_own and isinstance(request.body, (str, bytes, type(None)))
        if not may_repeat(response.status_code, asked=url, answered=request.url or "", replayable=replayable):
            return response
        newer = self._binding.token_after(token)
        if newer is None:
            return response
        _ = response.content  # read to its end, so that the connection can be used again
        response.close()
        again = request.copy()
        again.headers["Authorization"] = bearer_header(newer)
        repeated: Response = response.connection.send(again, **named)
        _remove(request)
        repeated.history.append(response)
        repeated.request = again
        return repeated


class _Hook:
    """Sees every answer to a request, those after redirects as well, and cleans the requests at the end."""

    def __init__(self, auth: RequestsAuth, request: PreparedRequest, url: str, token: Secret) -> None:
        self._auth = auth
        self._asked = [request]
        self._url = url
        self._token = token

    def __call__(self, response: Response, **named: Any) -> Response:
        self._asked.append(response.request)
        final = self._auth.repeated(response, self._url, self._token, named)
        self._asked.append(final.request)
        if not final.is_redirect:
            # A redirect is followed with a copy of the request, which needs the token.
            for one in self._asked:
                _remove(one)
            self._asked.clear()
        return final

    def __reduce__(self) -> Any:
        # Answers are pickled with their requests, and those with their hooks.
        return _Nothing, ()


class _Nothing:
    """Stands for the hook in a pickle."""

    def __call__(self, response: Response, **named: Any) -> None:
        pass


class _Headers(CaseInsensitiveDict[Any]):
    """Headers whose token only a newer token replaces: requests lets ~/.netrc do so after a redirect."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.lower() == _NAME and isinstance(self.get(name), Secret) and not isinstance(value, Secret):
            return
        super().__setitem__(name, value)

    def copy(self) -> _Headers:
        return _Headers(self.items())

    def __reduce__(self) -> Any:
        # A pickle holds no token, and needs nothing of this package.
        rest = {name: value for name, value in self.items() if not isinstance(value, Secret)}
        return CaseInsensitiveDict, (rest,)


def _remove(request: PreparedRequest) -> None:
    if isinstance(request.headers.get(_NAME), Secret):
        del request.headers[_NAME]
