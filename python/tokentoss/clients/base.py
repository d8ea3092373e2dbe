"""What the HTTP clients for services behind a sign-in share: where a token may go, and when to repeat."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from tokentoss.clients.answers import json_of
from tokentoss.clients.calls import Call, send
from tokentoss.clients.repetition import may_repeat
from tokentoss.clients.through import Through
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.http import new_session
from tokentoss.util.urls import origin_of, secure_origin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    import requests
    from typing_extensions import Self

    from tokentoss.clients.account_token import AccountToken
    from tokentoss.clients.service_tokens import ServiceTokens
    from tokentoss.clients.token_source import TokenSource

MAX_REDIRECTS = 10

HEADERS = ("Authorization", "Proxy-Authorization", "X-Serverless-Authorization")
"""Headers that can carry the token: the usual one; IAP's other one; Cloud Run's other one."""

_ENCODED_LAYERS = 3


class ServiceClient:
    """Calls a service with a token of whoever is signed in.

    The token goes to the origin of ``base_url`` and to ``allowed_origins`` only (https, or http on
    this machine). On a 401 the token is renewed and the call repeated once, if its body can be sent
    again.

    Args:
        base_url: The service's address. Without one, calls need absolute addresses, each of which is
            then the caller's own choice of where the token goes.
        timeout: Seconds to wait for each step of a call: for a connection, whichever of the host's
            addresses it is to, and for each part of the answer.
        allowed_origins: Further origins that the token may go to, by address or redirect.
        header: The header that carries the token, one of :data:`HEADERS`.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback), or if the header is none of those.
    """

    _tokens: TokenSource | Through | ServiceTokens

    def __init__(
        self,
        base_url: str | None,
        timeout: float,
        allowed_origins: Iterable[str] | None,
        header: str = "Authorization",
    ) -> None:
        if header not in HEADERS:
            raise ConfigurationError(code="header_unsupported", subject=repr(header))
        self.base_url = base_url.rstrip("/") if base_url else None
        self.timeout = timeout
        self.header = header
        if isinstance(allowed_origins, str):
            allowed_origins = (allowed_origins,)
        self._origins = {secure_origin(origin, "allowed origin") for origin in allowed_origins or ()}
        if self.base_url is not None:
            self._origins.add(secure_origin(self.base_url, "base_url"))
        self._owner: str | None = None
        self._session = new_session()
        self._lock = threading.Lock()
        # Two processes on one connection would read each other's answers.
        anew_in_child(self, _session=new_session, _lock=threading.Lock)

    def _token(self, url: str) -> AccountToken:
        """Return the token for a call to an address."""
        del url
        return self._tokens.current()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a GET request; see :meth:`request`."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a POST request; see :meth:`request`."""
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a PUT request; see :meth:`request`."""
        return self.request("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a PATCH request; see :meth:`request`."""
        return self.request("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a DELETE request; see :meth:`request`."""
        return self.request("DELETE", path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> requests.Response:
        """Send a HEAD request; see :meth:`request`."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> requests.Response:
        """Send an OPTIONS request; see :meth:`request`."""
        return self.request("OPTIONS", path, **kwargs)

    def get_json(self, path: str, **kwargs: Any) -> Any:
        """Send a GET request and return the JSON of its answer.

        Raises:
            ServiceError: For a 401, a 403, a redirect to a sign-in page or another origin, or an answer
                that is no JSON.
            requests.HTTPError: For any other status that is not a success.
        """
        return json_of(self.get(path, **kwargs))

    def post_json(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        """Send a POST request with a JSON body and return the JSON of its answer.

        Raises:
            ServiceError: For a 401, a 403, a redirect to a sign-in page or another origin, or an answer
                that is no JSON.
            requests.HTTPError: For any other status that is not a success.
        """
        return json_of(self.post(path, json=json, **kwargs))

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request with the token.

        Redirects to an origin that may have the token are followed; any other is returned as it is,
        because following it would take the call, and what it carries, to a place nobody named. The
        token is taken off the request that comes with the answer.

        Args:
            method: The HTTP method.
            path: A path below ``base_url``, or an absolute address.
            **kwargs: As for ``requests.Session.request``; certificates cannot be ignored.

        Raises:
            NoCredentialsError: If nobody is signed in, or the session that this client used has ended.
            TokenRefreshError: If the token has expired and cannot be renewed, or none is given.
            ConfigurationError: ``origin_not_allowed`` for an address of another origin,
                ``address_insecure``, ``path_outside_base``, or ``authorization_taken`` if the call brings
                what the token needs.
            ServiceUnreachableError: If there is no answer (also a requests.ConnectionError).
            ServiceAudienceMismatchError: If the token is known to be for others; nothing is sent.
        """
        verify = kwargs.get("verify")
        # requests takes anything that is false for False, None excepted.
        if verify is not None and not verify:
            raise ConfigurationError(code="verification_disabled")
        url, origins = self._address(path)
        follow = kwargs.pop("allow_redirects", True)
        kwargs.setdefault("timeout", self.timeout)
        self._refuse_collision(kwargs)
        token = self._token(url)
        call = Call(method, url, kwargs)
        response = self._sent(call, token)
        if may_repeat(response.status_code, asked=url, answered=url, replayable=call.is_replayable):
            newer = self._tokens.after(token)
            if newer is not None:
                _ = response.content  # read to its end, so that the connection can be used again
                response.close()
                response = self._sent(call, newer)
        return self._follow(response, call, origins) if follow else response

    def _sent(self, call: Call, token: AccountToken) -> requests.Response:
        if isinstance(self._tokens, Through):
            return self._tokens.send(self._session_of(None), call, token)
        return send(self._session_of(token.owner), call, token, self.header)

    def _session_of(self, owner: str | None) -> requests.Session:
        """Return what the calls of an account go through, since cookies must not go along with another's."""
        with self._lock:
            if owner != self._owner:
                if self._owner is not None:
                    self._session = new_session()
                self._owner = owner
            return self._session

    def _refuse_collision(self, kwargs: dict[str, Any]) -> None:
        names = {
            name.decode("latin-1") if isinstance(name, bytes) else str(name)
            for name in dict(kwargs.get("headers") or {})
        }
        taken = next((f"a header {name}" for name in names if name.lower() == self.header.lower()), None)
        if taken is None and kwargs.get("auth") is not None and self.header == "Authorization":
            taken = "an auth argument"
        if taken is not None:
            raise ConfigurationError(code="authorization_taken", subject=taken)

    def _follow(self, response: requests.Response, call: Call, origins: set[str]) -> requests.Response:
        history: list[requests.Response] = []
        while response.is_redirect and len(history) < MAX_REDIRECTS:
            target = urljoin(response.url, response.headers["location"])
            following = call.following(target, response.status_code)
            if origin_of(target) not in origins or following is None:
                break
            call = following
            _ = response.content  # read to its end, so that the connection can be used again
            history.append(response)
            response = self._sent(call, self._token(target))
        response.history = history
        return response

    def _address(self, path: str) -> tuple[str, set[str]]:
        """Return the address, and the origins that the token may go to in this call."""
        if not path.lower().startswith(("http://", "https://")):
            if self.base_url is None:
                raise ConfigurationError(code="base_url_missing", subject=repr(path))
            if _leaves_its_base(path):
                raise ConfigurationError(code="path_outside_base", subject=repr(path))
            return f"{self.base_url}/{path.lstrip('/')}", self._origins
        origin = origin_of(path)
        if self.base_url is None:
            return path, {secure_origin(path, "address"), *self._origins}
        if origin not in self._origins:
            raise ConfigurationError(code="origin_not_allowed", subject=origin or path)
        return path, self._origins


def _leaves_its_base(path: str) -> bool:
    """Tell whether dot segments lead out of what a path is below, as any server may read them."""
    path = path.partition("#")[0].partition("?")[0]
    if "." not in path and "%" not in path:
        return False
    for _ in range(_ENCODED_LAYERS):
        path = unquote(path)
    depth = 0
    for segment in path.replace("\\", "/").split("/"):
        # Servers in Java strip what follows a semicolon.
        name = segment.partition(";")[0]
        depth += {"": 0, ".": 0, "..": -1}.get(name, 1)
        if depth < 0:
            return True
    return False
