"""Where a token is looked for: a given manager, the sign-ins of this process, the token file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tokentoss import error_codes
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import (
    ConfigurationError,
    NoCredentialsError,
    StorageError,
    TokenRefreshError,
    TokenTossError,
)
from tokentoss.session.auth_manager import AuthManager, DetachedManager
from tokentoss.session.default_credentials import published
from tokentoss.session.session import Session, id_token_is_due
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import grant_of, same_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tokentoss.oauth.provider import Provider
    from tokentoss.storage.token_data import TokenData

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
        raise NoCredentialsError(error_codes.sentence("no_credentials", "; ".join(looked_at), MAX_PLACES))

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


class TokenFile:
    """Reads the token file on every use, and renews its tokens with the client that is configured."""

    def __init__(self) -> None:
        self._manager: DetachedManager | None = None
        self._place: tuple[Path, tuple[str, str, str]] | None = None
        self._session: Session | None = None

    def id_token(self, looked_at: list[str]) -> str | None:
        """Return the ID token of the default account.

        Args:
            looked_at: Is told where no token was found, and why.

        Raises:
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        try:
            storage = FileStorage()
            tokens = _with_id_token(storage.load_all())
        except StorageError as failure:
            looked_at.append(str(failure))
            return None
        if tokens is None:
            looked_at.append(f"{storage.path} (no tokens)")
            return None
        session = self._session
        if session is None or not same_tokens(session.tokens, tokens):
            session = self._session = Session.of(tokens)
        if tokens.signature_checked and not id_token_is_due(session):
            return tokens.id_token
        try:
            token = self._renewing_manager(storage, tokens).id_token
            if token is not None:
                return token
            why = "no valid ID token"
        except TokenRefreshError:
            raise
        except TokenTossError as failure:
            # Without a client, or without its provider's metadata, nothing can be renewed.
            why = f"no valid ID token, and none can be had: {failure}"
        if tokens.signature_checked and session.id_token_expires_at > time.time():
            return tokens.id_token
        looked_at.append(f"{storage.path} ({why})")
        return None

    def id_token_after(self, refused: str) -> str | None:
        """Return a newer ID token than one that a service refused; None if the file has none.

        Raises:
            TokenTossError: If there is no client, or it cannot renew.
        """
        storage = FileStorage()
        tokens = _with_id_token(storage.load_all())
        return self._renewing_manager(storage, tokens).id_token_after(refused) if tokens is not None else None

    def _renewing_manager(self, storage: FileStorage, tokens: TokenData) -> DetachedManager:
        """Return the manager of earlier calls, as long as it is for the same file and account."""
        place = storage.path, grant_of(tokens)
        if self._manager is None or self._place != place:
            self._manager, self._place = DetachedManager(storage=storage), place
        self._manager.reload()
        return self._manager


def _with_id_token(stored: list[TokenData]) -> TokenData | None:
    """Return the tokens of the default account; accounts without ID tokens come last."""
    return next((tokens for tokens in stored if tokens.id_token), next(iter(stored), None))


class AccessTokens:
    """Finds the access token for the calls of a client.

    Args:
        provider: Whose tokens the service takes.
        manager: The manager to ask, instead.
        account: The account to use.

    Raises:
        ConfigurationError: If neither provider nor manager is given, or they do not belong together.
    """

    def __init__(
        self, provider: Provider | None, manager: AuthManager | None, account: str | Account | None
    ) -> None:
        if manager is None and provider is None:
            raise ConfigurationError(
                "Whose access token the service takes is not said: give a provider or an auth_manager."
            )
        if manager is not None and provider is not None and not provider.is_same_as(manager.provider):
            raise ConfigurationError("The auth manager is for another provider: give one of the two.")
        self._provider = provider
        self._manager = manager
        self._account = account.key if isinstance(account, Account) else account
        self._detached: DetachedManager | None = None
        self._path: Path | None = None

    def current(self) -> str:
        """Return the access token of the first place that has one, renewed if it is due.

        Raises:
            NoCredentialsError: If none has, naming what was looked at.
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        looked_at: list[str] = []
        manager = self._in_use(looked_at)
        token = manager.access_token if manager is not None else None
        if token is None:
            raise NoCredentialsError(error_codes.sentence("no_credentials", "; ".join(looked_at), MAX_PLACES))
        return token

    def after(self, refused: str) -> str | None:
        """Return a newer access token than one that a service refused; None if there is none to be had."""
        try:
            manager = self._in_use([])
            return None if manager is None else manager.access_token_after(refused)
        except TokenTossError:
            # The service's own answer says more than that there is nothing newer.
            return None

    def _in_use(self, looked_at: list[str]) -> TokenManager | None:
        if self._manager is not None:
            looked_at.append(f"auth_manager ({self._manager.why_signed_out})")
            return self._manager if self._is_meant(self._manager) else None
        assert self._provider is not None  # noqa: S101 - the constructor has seen to it
        for manager in TokenManager.signed_in_at(self._provider):
            if manager is not self._detached and self._is_meant(manager):
                return manager
        looked_at.append(f"the sign-ins of this process at {self._provider.name} (none)")
        return self._from_file(looked_at)

    def _is_meant(self, manager: TokenManager) -> bool:
        if not manager.is_authenticated:
            return False
        account = manager.account
        return self._account is None or (account is not None and account.goes_by(self._account))

    def _from_file(self, looked_at: list[str]) -> TokenManager | None:
        """Return the manager over the token file, which has its client from the configuration."""
        try:
            storage = FileStorage()
            if self._detached is None or self._path != storage.path:
                self._path = storage.path
                self._detached = DetachedManager(
                    ClientConfig.discover(), storage=storage, provider=self._provider, account=self._account
                )
        except (ConfigurationError, StorageError) as failure:
            looked_at.append(str(failure))
            return None
        self._detached.reload()
        looked_at.append(f"{storage.path} ({self._detached.why_signed_out})")
        return self._detached if self._is_meant(self._detached) else None
