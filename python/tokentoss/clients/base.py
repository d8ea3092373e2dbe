"""What the HTTP clients for services behind a sign-in share: where a token may go, and when to repeat."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

from tokentoss.clients.errors import raise_for_refusal
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.urls import is_plain_loopback, origin_of, secure_origin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

MAX_REDIRECTS = 10

REFUSAL_PAUSE = 60.0
"""Seconds without renewals after a 401 that a renewed token did not help against."""


class ServiceClient(ABC):
    """Calls a service with a token of whoever is signed in.

    The token goes to the origin of ``base_url`` and to ``allowed_origins`` only (https, or http on
    this machine). On a 401 the token is renewed and the call repeated once, if its body can be sent
    again.

    Args:
        base_url: The service's address. Without one, calls need absolute addresses, each of which is
            then the caller's own choice of where the token goes.
        timeout: Seconds to wait for each step of a call.
        allowed_origins: Further origins that the token may go to, by address or redirect.

    Raises:
        ConfigurationError: ``address_insecure`` if one of the addresses is not https (or http on
            loopback).
    """

    def __init__(self, base_url: str | None, timeout: float, allowed_origins: Iterable[str]) -> None:
        self.base_url = base_url.rstrip("/") if base_url else None
        self.timeout = timeout
        if isinstance(allowed_origins, str):
            allowed_origins = (allowed_origins,)
        self._origins = {secure_origin(origin, "allowed origin") for origin in allowed_origins}
        if self.base_url is not None:
            self._origins.add(secure_origin(self.base_url, "base_url"))
        self._no_renewal_before = 0.0
        # A proxy of the environment must not see what is meant for this machine.
        new_session = partial(_new_session, self.base_url is None or not is_plain_loopback(self.base_url))
        self._session = new_session()
        # Two processes on one connection would read each other's answers.
        anew_in_child(self, _session=new_session)

    @abstractmethod
    def _token(self, url: str) -> str:
        """Return the token for a call to an address."""

    @abstractmethod
    def _token_after(self, refused: str) -> str | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""

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
            ServiceError: For a 401, a 403, or a redirect to a sign-in page or another origin.
            requests.HTTPError: For any other status that is not a success.
        """
        return _json_of(self.get(path, **kwargs))

    def post_json(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        """Send a POST request with a JSON body and return the JSON of its answer.

        Raises:
            ServiceError: For a 401, a 403, or a redirect to a sign-in page or another origin.
            requests.HTTPError: For any other status that is not a success.
        """
        return _json_of(self.post(path, json=json, **kwargs))

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request with the token.

        Redirects to an origin that may have the token are followed; any other is returned as it is,
        because following it would take the call, and what it carries, to a place nobody named.

        Args:
            method: The HTTP method.
            path: A path below ``base_url``, or an absolute address.
            **kwargs: As for ``requests.Session.request``; certificates cannot be ignored.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
            ConfigurationError: ``origin_not_allowed`` for an address of another origin, or
                ``address_insecure``.
            ServiceAudienceMismatchError: If the token is known to be for others; nothing is sent.
        """
        verify = kwargs.get("verify")
        # requests takes anything that is false for False, None excepted.
        if verify is not None and not verify:
            raise ConfigurationError(
                "verify=False would hand the token to anybody on the way: "
                "give the path of your certificate authority's file as verify instead."
            )
        url, origins = self._address(path)
        follow = kwargs.pop("allow_redirects", True)
        kwargs.setdefault("timeout", self.timeout)
        kwargs["headers"] = _without_authorization(kwargs.get("headers"))
        kwargs.pop("auth", None)
        token = self._token(url)
        response = self._send(method, url, token, kwargs)
        if response.status_code == requests.codes.unauthorized and _is_replayable(kwargs):
            response = self._repeated(response, method, url, token, kwargs)
        return self._follow(response, method, origins, kwargs) if follow else response

    def _send(self, method: str, url: str, token: str, kwargs: dict[str, Any]) -> requests.Response:
        return self._session.request(method, url, auth=_Bearer(token), allow_redirects=False, **kwargs)

    def _repeated(
        self, response: requests.Response, method: str, url: str, token: str, kwargs: dict[str, Any]
    ) -> requests.Response:
        """Repeat a call that was refused, if there is a newer token."""
        if time.monotonic() < self._no_renewal_before:
            return response
        newer = self._token_after(token)
        if newer is None:
            return response
        _ = response.content  # read to its end, so that the connection can be used again
        response.close()
        repeated = self._send(method, url, newer, kwargs)
        if repeated.status_code == requests.codes.unauthorized:
            # It was not the token's age: renewing for every call would only tire the provider.
            self._no_renewal_before = time.monotonic() + REFUSAL_PAUSE
        return repeated

    def _follow(
        self, response: requests.Response, method: str, origins: set[str], kwargs: dict[str, Any]
    ) -> requests.Response:
        history: list[requests.Response] = []
        while response.is_redirect and len(history) < MAX_REDIRECTS:
            target = urljoin(response.url, response.headers["location"])
            if origin_of(target) not in origins:
                break
            if _becomes_get(method, response.status_code):
                method = "GET"
                kwargs = {
                    name: value for name, value in kwargs.items() if name not in {"data", "json", "files"}
                }
            elif not _is_replayable(kwargs):
                break
            kwargs = {name: value for name, value in kwargs.items() if name != "params"}
            _ = response.content  # read to its end, so that the connection can be used again
            history.append(response)
            response = self._send(method, target, self._token(target), kwargs)
        response.history = history
        return response

    def _address(self, path: str) -> tuple[str, set[str]]:
        """Return the address, and the origins that the token may go to in this call."""
        if not path.lower().startswith(("http://", "https://")):
            if self.base_url is None:
                raise ConfigurationError(
                    f"The path {path!r} needs a base_url: give one to {type(self).__name__}, "
                    "or use an absolute address."
                )
            return f"{self.base_url}/{path.lstrip('/')}", self._origins
        origin = origin_of(path)
        if self.base_url is None:
            return path, {secure_origin(path, "address"), *self._origins}
        if origin not in self._origins:
            raise ConfigurationError(code="origin_not_allowed", subject=origin or path)
        return path, self._origins


class _Bearer(requests.auth.AuthBase):
    """Sets the token, and keeps requests from using a password of ~/.netrc instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _new_session(trust_env: bool) -> requests.Session:
    session = requests.Session()
    session.trust_env = trust_env
    return session


def _without_authorization(headers: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(headers or {}).items() if name.lower() != "authorization"}


def _is_replayable(kwargs: dict[str, Any]) -> bool:
    if kwargs.get("files"):
        return False
    return isinstance(kwargs.get("data"), (type(None), bytes, str, dict, list, tuple))


def _becomes_get(method: str, status: int) -> bool:
    """Tell whether a redirect is followed with GET (RFC 9110 section 15.4): 303, and POST on 301 and 302."""
    if method.upper() in {"GET", "HEAD"}:
        return False
    return status == 303 or (status in {301, 302} and method.upper() == "POST")  # noqa: PLR2004


def _json_of(response: requests.Response) -> Any:
    raise_for_refusal(response)
    response.raise_for_status()
    return response.json()
