"""An HTTP client for a service behind a sign-in, such as Google's Identity-Aware Proxy."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urljoin

import requests

import tokentoss
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, StorageError, TokenTossError
from tokentoss.id_token import expiry_of
from tokentoss.origins import is_plain_loopback, is_secure, origin_of
from tokentoss.providers import GOOGLE
from tokentoss.service_errors import (
    ServiceError,
    ServiceForbiddenError,
    ServiceRedirectError,
    ServiceSignInRedirectError,
    ServiceUnauthenticatedError,
)
from tokentoss.storage import FileStorage

if TYPE_CHECKING:
    from types import TracebackType

    from tokentoss.auth_manager import AuthManager

TOKEN_FILE_VARIABLE = "TOKENTOSS_TOKEN_FILE"
"""Environment variable that names the token file."""

MAX_REDIRECTS = 10
_ERROR_EXCERPT = 4096


class IAPClient:
    """Calls a service with the ID token of whoever is signed in.

    The token goes to the origin of ``base_url`` only (https, or http on this machine). It comes from
    the first of these that has one: ``auth_manager``, ``tokentoss.CREDENTIALS``, the token file
    (``TOKENTOSS_TOKEN_FILE``, or the default one). On a 401 the token is renewed and the call repeated
    once, if its body can be sent again.

    Args:
        base_url: The service's address. Without one, calls need absolute addresses.
        auth_manager: Whose token to use.
        timeout: Seconds to wait for each step of a call.

    Raises:
        ConfigurationError: ``endpoint_insecure`` if ``base_url`` is not https (or http on loopback).
    """

    def __init__(
        self,
        base_url: str | None = None,
        auth_manager: AuthManager | None = None,
        timeout: float = 30,
    ) -> None:
        self.base_url = base_url.rstrip("/") if base_url else None
        self.timeout = timeout
        self._auth_manager = auth_manager
        self._origin: str | None = None
        if self.base_url is not None:
            self._origin = _checked_origin(self.base_url)
        self._session = requests.Session()
        # A proxy of the environment must not see what is meant for this machine.
        self._session.trust_env = self.base_url is None or not is_plain_loopback(self.base_url)

    def __repr__(self) -> str:
        return f"IAPClient(base_url={self.base_url!r})"

    def __enter__(self) -> IAPClient:  # noqa: PYI034 - typing.Self came with Python 3.11
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
        """Send a request with the ID token.

        Redirects within the service's origin are followed; any other is returned as it is, because
        following it would take the call, and what it carries, to a place nobody named.

        Args:
            method: The HTTP method.
            path: A path below ``base_url``, or an address of the same origin.
            **kwargs: As for ``requests.Session.request``; certificates cannot be ignored.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
            ConfigurationError: ``origin_not_allowed`` for an address of another origin.
        """
        if kwargs.get("verify", True) is False:
            raise ConfigurationError(
                "verify=False would hand the token to anybody on the way: "
                "give the path of your certificate authority's file as verify instead."
            )
        url, origin = self._address(path)
        follow = kwargs.pop("allow_redirects", True)
        kwargs.setdefault("timeout", self.timeout)
        kwargs["headers"] = _without_authorization(kwargs.get("headers"))
        kwargs.pop("auth", None)
        response = self._send(method, url, self._id_token(), kwargs)
        if response.status_code == requests.codes.unauthorized and _is_replayable(kwargs):
            token = self._renewed_id_token()
            if token is not None:
                response.close()
                response = self._send(method, url, token, kwargs)
        return self._follow(response, method, origin, kwargs) if follow else response

    def _send(self, method: str, url: str, token: str, kwargs: dict[str, Any]) -> requests.Response:
        return self._session.request(method, url, auth=_Bearer(token), allow_redirects=False, **kwargs)

    def _follow(
        self, response: requests.Response, method: str, origin: str, kwargs: dict[str, Any]
    ) -> requests.Response:
        history: list[requests.Response] = []
        while response.is_redirect and len(history) < MAX_REDIRECTS:
            target = urljoin(response.url, response.headers["location"])
            if origin_of(target) != origin:
                break
            status = response.status_code
            if (
                status in {301, 302, 303}
                and method not in {"GET", "HEAD"}
                and not (
                    status != 303 and method != "POST"  # noqa: PLR2004
                )
            ):
                method = "GET"
                kwargs = {
                    name: value for name, value in kwargs.items() if name not in {"data", "json", "files"}
                }
            elif not _is_replayable(kwargs):
                break
            kwargs = {name: value for name, value in kwargs.items() if name != "params"}
            _ = response.content  # read to its end, so that the connection can be used again
            history.append(response)
            response = self._send(method, target, self._id_token(), kwargs)
        response.history = history
        return response

    def _address(self, path: str) -> tuple[str, str]:
        """Return the address and the origin that the token may go to."""
        if not path.lower().startswith(("http://", "https://")):
            if self.base_url is None or self._origin is None:
                raise ConfigurationError(
                    f"The path {path!r} needs a base_url: give one to IAPClient, or use an absolute address."
                )
            return f"{self.base_url}/{path.lstrip('/')}", self._origin
        origin = _checked_origin(path) if self._origin is None else origin_of(path)
        if origin is None or (self._origin is not None and origin != self._origin):
            raise ConfigurationError(code="origin_not_allowed", subject=origin or path)
        return path, origin

    def _id_token(self) -> str:
        looked_at: list[str] = []
        manager = self._auth_manager
        if manager is not None:
            token = manager.id_token
            if token:
                return token
            looked_at.append("auth_manager (signed out)")
        credentials = tokentoss.CREDENTIALS
        if credentials is not None:
            token = credentials.id_token
            if token:
                return token
        looked_at.append("tokentoss.CREDENTIALS (not set)")
        return self._id_token_of_file(looked_at)

    def _id_token_of_file(self, looked_at: list[str]) -> str:
        storage = FileStorage(os.environ.get(TOKEN_FILE_VARIABLE) or None)
        try:
            tokens = storage.load()
        except StorageError as failure:
            looked_at.append(str(failure))
            tokens = None
        else:
            if tokens is None:
                looked_at.append(f"{storage.path} (no such file)")
        if tokens is not None:
            if tokens.id_token and tokens.signature_checked and not _has_expired(tokens.id_token):
                return tokens.id_token
            # A file alone cannot renew: that takes the client.
            looked_at.append(f"{storage.path} (no valid ID token)")
        raise NoCredentialsError(subject="; ".join(looked_at))

    def _renewed_id_token(self) -> str | None:
        """Return a newer token after a 401; None if there is none to be had."""
        manager, credentials = self._auth_manager, tokentoss.CREDENTIALS
        try:
            if manager is not None and manager.is_authenticated:
                manager.refresh_tokens()
                return manager.id_token
            if credentials is not None:
                credentials.refresh()
                return credentials.id_token
        except TokenTossError:
            # The service's own answer says more than that there is nothing newer.
            return None
        return None


class _Bearer(requests.auth.AuthBase):
    """Sets the ID token, and keeps requests from using a password of ~/.netrc instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _checked_origin(url: str) -> str:
    origin = origin_of(url)
    if origin is None or not is_secure(url):
        raise ConfigurationError(code="endpoint_insecure", subject=f"base_url {url!r}")
    return origin


def _has_expired(id_token: str) -> bool:

    return expiry_of(id_token) <= time.time()


def _without_authorization(headers: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(headers or {}).items() if name.lower() != "authorization"}


def _is_replayable(kwargs: dict[str, Any]) -> bool:
    if kwargs.get("files"):
        return False
    return isinstance(kwargs.get("data"), (type(None), bytes, str, dict, list, tuple))


def _json_of(response: requests.Response) -> Any:
    if response.is_redirect or response.status_code in {401, 403}:
        _refuse(response)
    response.raise_for_status()
    return response.json()


def _refuse(response: requests.Response) -> NoReturn:
    service = origin_of(response.url) or "called"
    if response.is_redirect:
        target = origin_of(urljoin(response.url, response.headers["location"]))
        if target == origin_of(GOOGLE.authorization_endpoint) or _is_sign_in(response):
            raise ServiceSignInRedirectError(subject=service, response=response)
        raise ServiceRedirectError(subject=target or "of the redirect", response=response)
    error: type[ServiceError] = ServiceForbiddenError
    code = None
    if response.status_code == requests.codes.unauthorized:
        error = ServiceUnauthenticatedError
        if b"audience" in response.content[:_ERROR_EXCERPT].lower():
            code = "service_audience_mismatch"
    raise error(code=code, subject=service, response=response)


def _is_sign_in(response: requests.Response) -> bool:
    # An authorization request names its client and what it wants back, whoever the provider is.
    location = response.headers["location"]
    return "client_id=" in location and "response_type=" in location
