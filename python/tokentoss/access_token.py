"""Where an access token is looked for: a given manager, the sign-ins of this process, the token file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss import codes
from tokentoss.accounts import Account
from tokentoss.configuration import ClientConfig
from tokentoss.detached import DetachedManager
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenTossError
from tokentoss.storage import FileStorage
from tokentoss.token_keeper import TokenKeeper

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.auth_manager import AuthManager
    from tokentoss.providers import Provider

MAX_PLACES = 1000
"""Characters of the list of places that a sentence shows at most."""


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
            raise NoCredentialsError(codes.sentence("no_credentials", "; ".join(looked_at), MAX_PLACES))
        return token

    def after(self, refused: str) -> str | None:
        """Return a newer access token than one that a service refused; None if there is none to be had."""
        try:
            manager = self._in_use([])
            return None if manager is None else manager.access_token_after(refused)
        except TokenTossError:
            # The service's own answer says more than that there is nothing newer.
            return None

    def _in_use(self, looked_at: list[str]) -> TokenKeeper | None:
        if self._manager is not None:
            looked_at.append(f"auth_manager ({self._manager.why_signed_out})")
            return self._manager if self._is_meant(self._manager) else None
        assert self._provider is not None  # noqa: S101 - the constructor has seen to it
        for manager in TokenKeeper.signed_in_at(self._provider):
            if manager is not self._detached and self._is_meant(manager):
                return manager
        looked_at.append(f"the sign-ins of this process at {self._provider.name} (none)")
        return self._from_file(looked_at)

    def _is_meant(self, manager: TokenKeeper) -> bool:
        if not manager.is_authenticated:
            return False
        account = manager.account
        return self._account is None or (account is not None and account.goes_by(self._account))

    def _from_file(self, looked_at: list[str]) -> TokenKeeper | None:
        """Return the manager over the token file, which has its client from the configuration."""
        storage = FileStorage()
        try:
            if self._detached is None or self._path != storage.path:
                self._path = storage.path
                self._detached = DetachedManager(
                    ClientConfig.discover(), storage=storage, provider=self._provider, account=self._account
                )
        except ConfigurationError as failure:
            looked_at.append(str(failure))
            return None
        self._detached.reload()
        looked_at.append(f"{storage.path} ({self._detached.why_signed_out})")
        return self._detached if self._is_meant(self._detached) else None
