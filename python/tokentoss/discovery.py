"""Where an ID token is looked for: a given manager, ``tokentoss.CREDENTIALS``, the token file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss import codes
from tokentoss.auth_manager import AuthManager
from tokentoss.exceptions import NoCredentialsError, TokenTossError
from tokentoss.published import published
from tokentoss.token_file import TokenFile

if TYPE_CHECKING:
    from collections.abc import Iterator


MAX_PLACES = 1000
"""Characters of the list of places that a sentence shows at most."""


class TokenDiscovery:
    """Finds the ID token for the calls of a client.

    Args:
        manager: A manager to ask first.
    """

    def __init__(self, manager: AuthManager | None) -> None:
        self._manager = manager
        self._file = TokenFile()

    def id_token(self) -> str:
        """Return the ID token of the first place that has one.

        Raises:
            NoCredentialsError: If none has, naming what was looked at.
            TokenRefreshError: If the first one has expired and cannot be renewed.
        """
        looked_at: list[str] = []
        for name, place in self._places():
            token: str | None = place.id_token if place is not None else None
            if token:
                return token
            looked_at.append(f"{name} ({getattr(place, 'why_signed_out', 'not set')})")
        token = self._file.id_token(looked_at)
        if token:
            return token
        raise NoCredentialsError(codes.sentence("no_credentials", "; ".join(looked_at), MAX_PLACES))

    def id_token_after(self, refused: str) -> str | None:
        """Return a newer ID token than one that a service refused; None if there is none to be had."""
        try:
            for _, place in self._places():
                token: str | None = place.id_token if place is not None else None
                if token:
                    return _after(place, refused)
            return self._file.id_token_after(refused)
        except (TokenTossError, _google_error()):
            # The service's own answer says more than that there is nothing newer.
            return None

    def _places(self) -> Iterator[tuple[str, Any]]:
        if self._manager is not None:
            yield "auth_manager", self._manager
        yield "tokentoss.CREDENTIALS", published()


def _after(place: Any, refused: str) -> str | None:
    manager = place if isinstance(place, AuthManager) else getattr(place, "manager", None)
    if isinstance(manager, AuthManager):
        return manager.id_token_after(refused)
    from google.auth.transport.requests import Request  # noqa: PLC0415 - for such credentials only

    place.refresh(Request())
    token: str | None = place.id_token
    return token if token != refused else None


def _google_error() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - not before something was refused

    return GoogleAuthError
