"""The ID token for ``requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import codes
from requests.auth import AuthBase

from tokentoss.clients.allowed_origins import Bound

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class RequestsAuth(Bound, AuthBase):
    """Sends the ID token with calls of ``requests``, as ``auth`` of a call or of a session.

    On a 401 the token is renewed and the call repeated once, if its body can be sent again. ``requests``
    takes the token off when it follows a redirect to another host.

    Args:
        manager: Whose token to send.
        allowed_origins: The origins that may have it, for a session whose addresses come from
            elsewhere; by default every https origin, and http on this machine.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the token on a request.

        Raises:
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
            ConfigurationError: ``origin_not_allowed`` or ``address_insecure``.
        """
        url = request.url or ""
        token = self._binding.token_for(url)
        request.headers["Authorization"] = f"Bearer {token}"

        def repeat_once(response: Response, **named: Any) -> Response:
            return self._repeated(response, url, token, named)

        request.register_hook("response", repeat_once)  # type: ignore[no-untyped-call]
        return request

    def _repeated(self, response: Response, url: str, token: str, named: dict[str, Any]) -> Response:
        request = response.request
        if (
            response.status_code != codes.unauthorized
            or not self._binding.is_same_origin(request.url or "", url)
            or request.headers.get("Authorization") != f"Bearer {token}"
            or not isinstance(request.body, (str, bytes, type(None)))
        ):
            return response
        newer = self._binding.token_after(token)
        if newer is None:
            return response
        _ = response.content  # read to its end, so that the connection can be used again
        response.close()
        again = request.copy()
        again.headers["Authorization"] = f"Bearer {newer}"
        repeated: Response = response.connection.send(again, **named)
        repeated.history.append(response)
        repeated.request = again
        return repeated
