"""Which token goes where: the rule that the adapters of all HTTP clients share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenTossError
from tokentoss.util.urls import is_secure, origin_of, secure_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokentoss.session.auth_manager import AuthManager


class Binding:
    """Binds the ID token of a manager to the origins that may have it.

    Args:
        manager: Whose token it is.
        allowed_origins: The origins; none stands for every https origin, and http on this machine.

    Raises:
        ConfigurationError: ``address_insecure`` if one of them is neither.
    """

    def __init__(self, manager: AuthManager, allowed_origins: Iterable[str]) -> None:
        self._manager = manager
        self._origins = frozenset(secure_origin(origin, "allowed origin") for origin in allowed_origins)

    def __repr__(self) -> str:
        return ", ".join([repr(self._manager), *sorted(self._origins)])

    def check(self, url: str) -> None:
        """Check that an address may have the token.

        Raises:
            ConfigurationError: ``address_insecure`` or ``origin_not_allowed``.
        """
        if not is_secure(url):
            raise ConfigurationError(code="address_insecure", subject=f"address {url!r}")
        origin = origin_of(url)
        if self._origins and origin not in self._origins:
            raise ConfigurationError(code="origin_not_allowed", subject=origin)

    def token_for(self, url: str) -> str:
        """Return the current ID token for a call to an address.

        Raises:
            ConfigurationError: As :meth:`check`.
            NoCredentialsError: If nobody is signed in.
            TokenRefreshError: If the token has expired and cannot be renewed.
        """
        self.check(url)
        token = self._manager.id_token
        if token is None:
            raise NoCredentialsError(subject=f"the auth manager ({self._manager.why_signed_out})")
        return token

    def token_after(self, refused: str) -> str | None:
        """Return a newer ID token than one that a service refused; None if there is none to be had."""
        try:
            return self._manager.id_token_after(refused)
        except TokenTossError:
            # The service's own answer says more than that there is nothing newer.
            return None

    @staticmethod
    def is_same_origin(url: str, other: str) -> bool:
        """Tell whether two addresses have the same origin."""
        return origin_of(url) is not None and origin_of(url) == origin_of(other)


class Bound:
    """Base of the adapters: what each HTTP client's own kind of authentication is made from."""

    def __init__(self, manager: AuthManager, allowed_origins: Iterable[str] = ()) -> None:
        self._binding = Binding(manager, allowed_origins)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._binding!r})"
