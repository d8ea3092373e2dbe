"""Credentials that renew themselves, for code that wants an object rather than a manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from tokentoss.auth_manager import AuthManager


class Credentials:
    """The tokens of an :class:`AuthManager`, always the current ones.

    Args:
        manager: Whose tokens these are.
    """

    def __init__(self, manager: AuthManager) -> None:
        self._manager = manager

    def __repr__(self) -> str:
        return f"Credentials(expired={self.expired}, token=redacted, id_token=redacted)"

    def __reduce__(self) -> Any:
        raise TypeError("Credentials hold tokens and cannot be pickled: sign in where they are needed.")

    @property
    def token(self) -> str | None:
        """The access token as it is, without a renewal."""
        tokens = self._manager.token_data
        return tokens.access_token if tokens else None

    @property
    def id_token(self) -> str | None:
        """The ID token, renewed if it is about to expire."""
        return self._manager.id_token

    @property
    def refresh_token(self) -> str | None:
        """The refresh token, if the provider gave one."""
        tokens = self._manager.token_data
        return (tokens.refresh_token or None) if tokens else None

    @property
    def scopes(self) -> list[str]:
        """The scopes that were granted."""
        tokens = self._manager.token_data
        return list(tokens.scopes) if tokens else []

    @property
    def expiry(self) -> datetime | None:
        """When the access token expires."""
        tokens = self._manager.token_data
        return tokens.expiry_datetime if tokens else None

    @property
    def expired(self) -> bool:
        """Whether the access token has expired; False when signed out."""
        tokens = self._manager.token_data
        return tokens is not None and tokens.is_expired

    @property
    def valid(self) -> bool:
        """Whether there is an access token that has not expired."""
        return self._manager.token_data is not None and not self.expired

    def refresh(self, request: object = None) -> None:  # noqa: ARG002 - google-auth passes its transport
        """Renew the tokens.

        Raises:
            TokenRefreshError: If they cannot be renewed.
        """
        self._manager.refresh_tokens()
