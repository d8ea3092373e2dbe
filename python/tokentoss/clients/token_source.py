"""Where clients get their tokens: a given manager; or else the process's sign-ins, then the token file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tokentoss import error_codes
from tokentoss.clients.brokers import manager_of_environment
from tokentoss.clients.other_sign_ins import sign_ins_elsewhere
from tokentoss.clients.repetition import newer
from tokentoss.exceptions import ConfigurationError, NoCredentialsError
from tokentoss.session.app_host import Visitor, visitor
from tokentoss.session.broker_manager import BrokerManager

if TYPE_CHECKING:
    from tokentoss.clients.account_token import AccountToken
    from tokentoss.clients.wanted_provider import WantedProvider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.broker_manager import DetachedBrokerManager
    from tokentoss.session.token_manager import TokenManager
    from tokentoss.storage.accounts import Account

MAX_PLACES = 1000
"""Characters of the list of places that a sentence shows at most."""


@dataclass
class _Pin:
    """The account that a client stays with.

    Args:
        owner: Its key; None until there was a token.
        who: How it is shown.
    """

    owner: str | None = None
    who: str = ""


class TokenSource(ABC):
    """Finds the token for the calls of a client.

    A manager that is given is the only source. Without one, the source takes the sign-ins of one provider,
    and stays with the account that it found first: calls never go out as somebody else because a session
    ended or another began. A client that the visitors of an app share stays with an account of each.

    Args:
        manager: The manager to ask.
        wanted: Whose tokens the service takes; None only with a manager.
        stays: Whether it stays with the account of a manager that was given, too.

    Raises:
        ConfigurationError: If provider and manager do not belong together.
    """

    def __init__(
        self, manager: AuthManager | None, wanted: WantedProvider | None, *, stays: bool = False
    ) -> None:
        if manager is not None and wanted is not None and not wanted.is_met_by(manager.provider):
            raise ConfigurationError(code="auth_manager_conflict", subject=wanted.name)
        self._manager = manager
        self._wanted = wanted
        self._pins_account = manager is None or stays
        self._brokered: DetachedBrokerManager | None = None
        self._everybodys_pin = _Pin()
        self._pins: WeakKeyDictionary[Visitor, _Pin] = WeakKeyDictionary()

    def current(self) -> AccountToken:
        """Return the token, renewed if it is due.

        Raises:
            NoCredentialsError: If there is none, naming what was looked at; ``client_session_ended`` if
                there was one, ``signed_in_elsewhere`` if other providers alone have signed somebody in.
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        looked_at: list[str] = []
        if self._manager is not None:
            found = self._of_manager(self._manager, looked_at)
        else:
            found = self._found(looked_at)
        if self._pins_account:
            found = self._pinned(found)
        if found is not None:
            return found
        raise self._none_found("; ".join(looked_at) or "somebody else signed in meanwhile")

    def after(self, refused: str) -> AccountToken | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""
        found = newer(self._after, refused)
        return self._pinned(found) if self._pins_account else found

    def _none_found(self, places: str) -> NoCredentialsError:
        code, subject, pin = "no_credentials", places, self._pin
        if pin.owner is not None:
            code, subject = "client_session_ended", f"{pin.who or pin.owner}; looked at: {places}"
        elif self._manager is None and self._wanted is not None:
            others = sign_ins_elsewhere(self._wanted)
            if others:
                code = "signed_in_elsewhere"
                subject = f"{self._wanted.name}, only {others}; looked at: {places}"
        return NoCredentialsError(error_codes.sentence(code, subject, MAX_PLACES), code=code)

    def _pinned(self, token: AccountToken | None) -> AccountToken | None:
        """Stay with the account of a token; None if it is of another one, who signed in meanwhile."""
        if token is None or not self._is_meant(token.owner):
            return None
        self._pin.owner = token.owner
        return token

    @property
    def _pin(self) -> _Pin:
        me = visitor()
        return self._everybodys_pin if me is None else self._pins.setdefault(me, _Pin())

    def _is_meant(self, owner: str | None) -> bool:
        pinned = self._pin.owner
        return pinned is None or owner == pinned

    def _note(self, account: Account | None) -> None:
        if account is not None and self._is_meant(account.key):
            self._pin.who = account.display_name

    def _of_environment(self, wanted: WantedProvider, account: str | None = None) -> AuthManager | None:
        """Return the manager that asks the broker of the environment, and hold it: nobody else may."""
        self._brokered = manager_of_environment(wanted, account, self._brokered)
        return self._brokered

    @abstractmethod
    def _of_manager(self, manager: AuthManager, looked_at: list[str]) -> AccountToken | None:
        """Return the token of the manager that was given."""

    @abstractmethod
    def _found(self, looked_at: list[str]) -> AccountToken | None:
        """Return the token of the first place that has one of the right account."""

    @abstractmethod
    def _after(self, refused: str) -> AccountToken | None:
        """Return a newer token of the place where the refused one came from."""


def named(manager: TokenManager) -> str:
    """Return how a sentence names a manager."""
    return f"the broker {manager.broker.url}" if isinstance(manager, BrokerManager) else "auth_manager"
