"""The access tokens of a manager, of the sign-ins of this process at a provider, or of the token file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.clients.account_token import AccountToken
from tokentoss.clients.token_file import NOT_USED
from tokentoss.clients.token_source import TokenSource, named
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError, DiscoveryError, StorageError
from tokentoss.session.app_host import token_file
from tokentoss.session.auth_manager import AuthManager, DetachedManager
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.oauth.provider import Provider


class AccessTokens(TokenSource):
    """Finds access tokens: of a manager, of the sign-ins of this process at a provider, of the token file.

    Args:
        provider: Whose tokens the service takes: a provider, its issuer, or the name of one that comes with
            the package.
        manager: The manager to ask, instead.
        account: The account to use.

    Raises:
        ConfigurationError: If neither provider nor manager is given, or they do not belong together.
    """

    def __init__(
        self,
        provider: Provider | str | None,
        manager: AuthManager | None,
        account: str | Account | None,
        *,
        stays: bool = False,
    ) -> None:
        if manager is None and provider is None:
            raise ConfigurationError(code="provider_missing")
        super().__init__(manager, None if provider is None else WantedProvider.of(provider), stays=stays)
        self._account = account.key if isinstance(account, Account) else account
        self._detached: DetachedManager | None = None
        self._place: tuple[Path, str | None] | None = None

    def _of_manager(self, manager: TokenManager, looked_at: list[str]) -> AccountToken | None:
        # A broker is asked before it is known who is connected there.
        is_usable = self._is_usable(manager) or (
            isinstance(manager, BrokerManager) and not manager.is_authenticated
        )
        token = manager.access_token if is_usable else None
        if token is None:
            looked_at.append(f"{named(manager)} ({manager.why_signed_out})")
            return None
        account = manager.account
        self._note(account)
        return AccountToken.of(token, account.key if account is not None else None)

    def _found(self, looked_at: list[str]) -> AccountToken | None:
        manager = self._in_use(looked_at)
        return self._of_manager(manager, looked_at) if manager is not None else None

    def _after(self, refused: str) -> AccountToken | None:
        manager = self._manager if self._manager is not None else self._in_use([])
        if manager is None or not self._is_usable(manager):
            return None
        token, account = manager.access_token_after(refused), manager.account
        return AccountToken.of(token, account.key if account is not None else None) if token else None

    def _in_use(self, looked_at: list[str]) -> TokenManager | None:
        assert self._wanted is not None  # noqa: S101 - the constructor has seen to it
        for manager in TokenManager.signed_in():
            if self._wanted.is_met_by(manager.provider) and self._is_usable(manager):
                return manager
        looked_at.append(f"the sign-ins of this process at {self._wanted.name} (none)")
        brokered = self._of_environment(self._wanted, self._account)
        return brokered or self._from_file(self._wanted, looked_at)

    def _is_usable(self, manager: TokenManager) -> bool:
        if not manager.is_authenticated:
            return False
        account = manager.account
        if account is None:
            return self._account is None and self._pin.owner is None
        return self._is_meant(account.key) and (self._account is None or account.goes_by(self._account))

    def _from_file(self, wanted: WantedProvider, looked_at: list[str]) -> TokenManager | None:
        """Return the manager over the token file, which has its client from the configuration."""
        try:
            storage = token_file()
        except StorageError as failure:
            looked_at.append(str(failure))
            return None
        if storage is None:
            looked_at.append(NOT_USED)
            return None
        place = storage.path, self._pin.owner or self._account
        try:
            if self._detached is None or self._place != place:
                self._place = place
                self._detached = DetachedManager(
                    ClientConfig.discover(), storage=storage, provider=wanted.resolved(), account=place[1]
                )
        except (ConfigurationError, DiscoveryError) as failure:
            looked_at.append(str(failure))
            return None
        self._detached.reload()
        looked_at.append(f"{storage.path} ({self._detached.why_signed_out})")
        return self._detached if self._is_usable(self._detached) else None
