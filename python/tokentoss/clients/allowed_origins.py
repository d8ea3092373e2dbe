"""Which token goes where: the rule that the adapters of all HTTP clients share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.repetition import newer
from tokentoss.exceptions import ConfigurationError, NoCredentialsError
from tokentoss.util.proxies import proxy_variable_for
from tokentoss.util.secret import Secret
from tokentoss.util.urls import is_plain_loopback, is_secure, origin_of, secure_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.session.auth_manager import AuthManager


class Binding:
    """Binds a token of a manager to the origins that may have it.

    Args:
        manager: Whose token it is.
        allowed_origins: The origins; None stands for every https origin, and http on this machine.
        access_token: Whether it is the access token instead of the ID token.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def __init__(
        self, manager: AuthManager, allowed_origins: Iterable[str] | None, *, access_token: bool
    ) -> None:
        self._manager = manager
        self._is_access_token = access_token
        self._origins: frozenset[str] | None = None
        if allowed_origins is not None:
            given = (allowed_origins,) if isinstance(allowed_origins, str) else allowed_origins
            self._origins = frozenset(secure_origin(origin, "allowed origin") for origin in given)

    def __repr__(self) -> str:
        return ", ".join([repr(self._manager), *sorted(self._origins or ())])

    def check(self, url: str, own: object) -> None:
        """Check that an address may have the token.

        Args:
            url: The address of a call.
            own: The ``Authorization`` that the call brings.

        Raises:
            ConfigurationError: ``address_insecure``, ``origin_not_allowed``, ``proxy_for_loopback``, or
                ``authorization_taken``.
        """
        if not is_secure(url):
            raise ConfigurationError(code="address_insecure", subject=f"address {url!r}")
        origin = origin_of(url)
        if self._origins is not None and origin not in self._origins:
            raise ConfigurationError(code="origin_not_allowed", subject=origin)
        if own is not None and not isinstance(own, Secret):
            raise ConfigurationError(code="authorization_taken", subject="header Authorization")
        variable = proxy_variable_for(url) if is_plain_loopback(url) else None
        if variable is not None:
            # Who sends the call takes its proxy from there, and cannot be told otherwise from here.
            raise ConfigurationError(code="proxy_for_loopback", subject=variable)

    def token_for(self, url: str, own: object = None) -> Secret:
        """Return the current token for a call to an address.

        Raises:
            ConfigurationError: As :meth:`check`.
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
        """
        self.check(url, own)
        token = self._manager.access_token if self._is_access_token else self._manager.id_token
        if token is None:
            raise NoCredentialsError(subject=f"the auth manager ({self._manager.why_signed_out})")
        return Secret(token)

    def token_after(self, refused: str) -> Secret | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""
        manager = self._manager
        token = newer(
            manager.access_token_after if self._is_access_token else manager.id_token_after, refused
        )
        return Secret(token) if token else None


class Bound:
    """Base of the adapters: what each HTTP client's own kind of authentication is made from."""

    def __init__(
        self,
        manager: AuthManager,
        allowed_origins: Iterable[str] | None = None,
        *,
        access_token: bool = False,
    ) -> None:
        self._binding = Binding(manager, allowed_origins, access_token=access_token)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._binding!r})"
