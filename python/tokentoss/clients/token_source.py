"""Where clients get their tokens: a given manager; or else the process's sign-ins, then the token file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tokentoss import error_codes
from tokentoss.clients.repetition import newer
from tokentoss.clients.token_file import NOT_USED, StoredIdTokens
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import (
    ConfigurationError,
    IdTokenError,
    NoCredentialsError,
    StorageError,
)
from tokentoss.oauth.id_token import unverified_claims
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import Visitor, token_file, visitor
from tokentoss.session.auth_manager import AuthManager, DetachedManager
from tokentoss.session.default_credentials import published
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage.accounts import Account
from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.oauth.provider import Provider

MAX_PLACES = 1000
"""Characters of the list of places that a sentence shows at most."""


class AccountToken(Secret):
    """A token, and the key of the account that it is of."""

    owner: str | None

    @classmethod
    def of(cls, token: str, owner: str | None) -> AccountToken:
        """Return a token with its account's key."""
        made = cls(token)
        made.owner = owner
        return made


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

    A manager that is given is the only source. Without one, the source stays with the account that it
    found first: calls never go out as somebody else because a session ended or another began. A client that
    the visitors of an app share stays with an account of each.

    Args:
        manager: The manager to ask.
    """

    def __init__(self, manager: AuthManager | None) -> None:
        self._manager = manager
        self._everybodys_pin = _Pin()
        self._pins: WeakKeyDictionary[Visitor, _Pin] = WeakKeyDictionary()

    def current(self) -> AccountToken:
        """Return the token, renewed if it is due.

        Raises:
            NoCredentialsError: If there is none, naming what was looked at; ``client_session_ended`` if
                there was one.
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        looked_at: list[str] = []
        if self._manager is not None:
            found = self._of_manager(self._manager, looked_at)
        else:
            found = self._pinned(self._found(looked_at))
        if found is not None:
            return found
        places = "; ".join(looked_at) or "somebody else signed in meanwhile"
        pin = self._pin
        if pin.owner is not None:
            subject = f"{pin.who or pin.owner}; looked at: {places}"
            ended = error_codes.sentence("client_session_ended", subject, MAX_PLACES)
            raise NoCredentialsError(ended, code="client_session_ended")
        raise NoCredentialsError(error_codes.sentence("no_credentials", places, MAX_PLACES))

    def after(self, refused: str) -> AccountToken | None:
        """Return a newer token than one that a service refused; None if there is none to be had."""
        found = newer(self._after, refused)
        return found if self._manager is not None else self._pinned(found)

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
        if account is not None:
            self._pin.who = account.display_name

    @abstractmethod
    def _of_manager(self, manager: AuthManager, looked_at: list[str]) -> AccountToken | None:
        """Return the token of the manager that was given."""

    @abstractmethod
    def _found(self, looked_at: list[str]) -> AccountToken | None:
        """Return the token of the first place that has one of the right account."""

    @abstractmethod
    def _after(self, refused: str) -> AccountToken | None:
        """Return a newer token of the place where the refused one came from."""


class IdTokens(TokenSource):
    """Finds ID tokens: of a manager, of the sign-ins of this process, of the token file.

    Args:
        manager: The manager to ask.
        provider: Whose tokens the service takes; by default Google's come first, then those of others.

    Raises:
        ConfigurationError: If provider and manager do not belong together.
    """

    def __init__(self, manager: AuthManager | None, provider: Provider | None = None) -> None:
        super().__init__(manager)
        _require_together(manager, provider)
        self._provider = provider
        self._file = StoredIdTokens(provider)
        # The owner of the token that was read last, which is told by its hash: the token itself is not kept.
        self._last: tuple[bytes, str | None] = (b"", None)

    def _of_manager(self, manager: AuthManager, looked_at: list[str]) -> AccountToken | None:
        token = manager.id_token
        if not token:
            looked_at.append(f"auth_manager ({manager.why_signed_out})")
        return self._read(token)

    def _found(self, looked_at: list[str]) -> AccountToken | None:
        why = "not set"
        for place in self._places():
            token = self._read(place.id_token)
            if token is not None and self._is_wanted(token):
                account = getattr(place, "account", None)
                self._note(account if isinstance(account, Account) else None)
                return token
            why = "another account" if token is not None else getattr(place, "why_signed_out", why)
        looked_at.append(f"tokentoss.CREDENTIALS ({why})")
        stored = self._file.id_token(self._pin.owner, looked_at)
        self._note(self._file.account)
        return self._read(stored)

    def _after(self, refused: str) -> AccountToken | None:
        if self._manager is not None:
            return self._read(_renewed(self._manager, refused)) if self._manager.id_token else None
        for place in self._places():
            token = self._read(place.id_token)
            if token is not None and self._is_wanted(token):
                return self._read(_renewed(place, refused))
        return self._read(self._file.id_token_after(self._pin.owner, refused))

    def _read(self, token: str | None) -> AccountToken | None:
        if not token:
            return None
        digest = sha256(str(token).encode("utf-8", "surrogatepass")).digest()
        last = self._last
        if last[0] != digest:
            last = self._last = (digest, _owner_of(token))
        return AccountToken.of(token, last[1])

    def _places(self) -> list[Any]:
        """Return the managers, or what was set by hand, in the order in which they are asked."""
        latest = published()
        if latest is not None and not isinstance(latest, TokenManager):
            return [latest]
        wanted = self._provider or GOOGLE
        if latest is None or latest.provider.is_same_as(wanted):
            others = [] if self._provider is None else _signed_in_at(wanted)
            return [*([latest] if latest is not None else []), *others]
        # A later sign-in of another provider leaves this one's usable.
        return [*_signed_in_at(wanted), *([latest] if self._provider is None else [])]

    def _is_wanted(self, token: AccountToken) -> bool:
        if self._provider is not None and not (token.owner or "").startswith(f"{self._provider.issuer}#"):
            return False
        return self._is_meant(token.owner)


class AccessTokens(TokenSource):
    """Finds access tokens: of a manager, of the sign-ins of this process at a provider, of the token file.

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
        super().__init__(manager)
        if manager is None and provider is None:
            raise ConfigurationError(
                "Whose access token the service takes is not said: give a provider or an auth_manager."
            )
        _require_together(manager, provider)
        self._provider = provider
        self._account = account.key if isinstance(account, Account) else account
        self._detached: DetachedManager | None = None
        self._place: tuple[Path, str | None] | None = None

    def _of_manager(self, manager: TokenManager, looked_at: list[str]) -> AccountToken | None:
        token = manager.access_token if self._is_usable(manager) else None
        if token is None:
            looked_at.append(f"auth_manager ({manager.why_signed_out})")
            return None
        account = manager.account
        self._note(account)
        return AccountToken.of(token, account.key if account is not None else None)

    def _found(self, looked_at: list[str]) -> AccountToken | None:
        manager = self._in_use(looked_at)
        return self._of_manager(manager, []) if manager is not None else None

    def _after(self, refused: str) -> AccountToken | None:
        manager = self._manager if self._manager is not None else self._in_use([])
        if manager is None or not self._is_usable(manager):
            return None
        token, account = manager.access_token_after(refused), manager.account
        return AccountToken.of(token, account.key if account is not None else None) if token else None

    def _in_use(self, looked_at: list[str]) -> TokenManager | None:
        assert self._provider is not None  # noqa: S101 - the constructor has seen to it
        for manager in TokenManager.signed_in_at(self._provider):
            if manager is not self._detached and self._is_usable(manager):
                return manager
        looked_at.append(f"the sign-ins of this process at {self._provider.name} (none)")
        return self._from_file(looked_at)

    def _is_usable(self, manager: TokenManager) -> bool:
        if not manager.is_authenticated:
            return False
        account = manager.account
        if account is None:
            return self._account is None and self._pin.owner is None
        return self._is_meant(account.key) and (self._account is None or account.goes_by(self._account))

    def _from_file(self, looked_at: list[str]) -> TokenManager | None:
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
                    ClientConfig.discover(), storage=storage, provider=self._provider, account=place[1]
                )
        except ConfigurationError as failure:
            looked_at.append(str(failure))
            return None
        self._detached.reload()
        looked_at.append(f"{storage.path} ({self._detached.why_signed_out})")
        return self._detached if self._is_usable(self._detached) else None


def _require_together(manager: AuthManager | None, provider: Provider | None) -> None:
    if manager is not None and provider is not None and not provider.is_same_as(manager.provider):
        raise ConfigurationError("The auth manager is for another provider: give one of the two.")


def _signed_in_at(provider: Provider) -> list[TokenManager]:
    return [one for one in TokenManager.signed_in_at(provider) if not isinstance(one, DetachedManager)]


def _owner_of(token: str) -> str | None:
    try:
        claims = unverified_claims(token)
    except IdTokenError:
        # Credentials that somebody set by hand may hold anything.
        return None
    return f"{claims.get('iss')}#{claims.get('sub')}"


def _renewed(place: Any, refused: str) -> str | None:
    manager = place if isinstance(place, AuthManager) else getattr(place, "manager", None)
    if isinstance(manager, AuthManager):
        return manager.id_token_after(refused)
    from google.auth.transport.requests import Request  # noqa: PLC0415 - for such credentials only

    place.refresh(Request())
    token: str | None = place.id_token
    return token if token != refused else None
