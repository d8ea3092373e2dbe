"""``tokentoss sign-in``: sign in from a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.cli import broker_sign_in, terminal_sign_in
from tokentoss.cli.terminal import Terminal, said
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.error_codes import printable
from tokentoss.exceptions import ConfigurationError, StorageError
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.auth_manager import AuthManager
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from tokentoss.cli.terminal_sign_in import Way
    from tokentoss.oauth.provider import Provider
    from tokentoss.storage.token_data import TokenData


def run(provider: str | None, way: Way) -> int:
    """Sign in, whoever is signed in already: their accounts stay, and this one is used by default.

    Args:
        provider: The provider's name or issuer; by default the one that the client belongs to.
        way: How.

    Raises:
        SignInError: ``terminal_missing``, or what ended the sign-in.
        ConfigurationError: If there is no usable client; ``broker_conflict`` for a code at a broker.
        StorageError: If the tokens cannot be stored.
        TokenTossError: What else ended the sign-in.
    """
    terminal_sign_in.require_terminal()
    wanted = None if provider is None else WantedProvider.of(provider).resolved()
    broker = Broker.of_environment()
    if broker is None:
        _here(wanted, way)
    else:
        _at_broker(broker, wanted, way)
    return 0


def _here(provider: Provider | None, way: Way) -> None:
    storage = FileStorage()
    manager = _NewSignIn(storage=storage, provider=provider)
    for tokens in _stored(storage):
        # No question and no option: whoever asks for a sign-in wants one, perhaps with another account.
        if Session.of(tokens).is_signed_in:
            name = printable(Account.of(tokens).display_name)
            Terminal(sys.stderr).line(said("alreadySignedIn", account=name))
    terminal_sign_in.sign_in(manager, way)
    if isinstance(manager.last_error, StorageError):
        # In this process they would end with it.
        raise manager.last_error
    terminal = Terminal()
    terminal.line(said("signedIn", account=_name(manager, terminal), path=str(storage.path)))


def _stored(storage: FileStorage) -> list[TokenData]:
    try:
        return storage.load_all()
    except StorageError as failure:
        if failure.code != "storage_corrupt":
            raise
        # The sign-in sets the file aside.
        return []


def _at_broker(broker: Broker, provider: Provider | None, way: Way) -> None:
    if way == "code":
        raise ConfigurationError(code="broker_conflict", subject="--code")
    manager = BrokerManager(broker, provider or GOOGLE)
    broker_sign_in.sign_in(manager, opens=way == "browser")
    terminal = Terminal()
    terminal.line(said("signedInAtBroker", account=_name(manager, terminal), url=broker.url))


def _name(manager: AuthManager, terminal: Terminal) -> str:
    return terminal.paint(printable(manager.user_name or ""), "green")


class _NewSignIn(AuthManager):
    """An auth manager that begins with nobody, so that the provider is not asked for the stored account."""

    def _load_from_storage(self, account: str | Account | None) -> None:
        del account
