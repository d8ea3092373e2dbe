"""What the argument ``broker`` of clients and adapters stands for, and the broker of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.broker.names import provider_name
from tokentoss.clients.through import Through
from tokentoss.clients.wanted_provider import WantedProvider
from tokentoss.exceptions import ConfigurationError
from tokentoss.session.app_host import is_shared
from tokentoss.session.detached_broker import manager_at
from tokentoss.storage.accounts import Account

if TYPE_CHECKING:
    from tokentoss.broker.answers import Kind
    from tokentoss.oauth.provider import Provider
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.broker_manager import DetachedBrokerManager


def manager_of(
    broker: Broker | str,
    auth_manager: AuthManager | None,
    provider: Provider | str | None,
    account: str | Account | None = None,
) -> AuthManager:
    """Return the manager that asks a broker.

    Raises:
        ConfigurationError: ``broker_conflict`` if a manager is given as well; ``broker_user_missing``.
    """
    _refuse_beside("auth_manager", auth_manager)
    return manager_at(broker, WantedProvider.of(provider).resolved(), account)


def manager_of_environment(
    wanted: WantedProvider, account: str | None = None, before: DetachedBrokerManager | None = None
) -> DetachedBrokerManager | None:
    """Return the manager that asks the broker which ``TOKENTOSS_BROKER`` names, if it does.

    Args:
        wanted: The provider.
        account: The account.
        before: What this returned to the same client before.

    Raises:
        ConfigurationError: ``broker_user_missing`` where several people share the process.
    """
    broker = Broker.of_environment()
    return None if broker is None else manager_at(broker, wanted.resolved(), account, before=before)


def through_of(
    broker: Broker | str | None,
    kind: Kind,
    *,
    provider: Provider | str | None,
    account: str | Account | None = None,
    auth_manager: AuthManager | None,
    expected_audience: str | None = None,
    header: str = "Authorization",
) -> Through:
    """Return what sends calls by way of a broker.

    Raises:
        ConfigurationError: ``broker_missing``; ``broker_conflict`` beside what needs a
            token here; ``broker_user_missing``.
    """
    chosen = Broker.of_environment() if broker is None else Broker.of(broker)
    if chosen is None:
        raise ConfigurationError(code="broker_missing")
    _refuse_beside("auth_manager", auth_manager)
    _refuse_beside("expected_audience", expected_audience)
    _refuse_beside("header", None if header == "Authorization" else header)
    if is_shared() and not chosen.names_user:
        raise ConfigurationError(code="broker_user_missing", subject=chosen.url)
    name = account.subject if isinstance(account, Account) else account
    return Through(chosen, provider_name(chosen, WantedProvider.of(provider).resolved()), kind, name)


def _refuse_beside(name: str, value: object) -> None:
    if value is not None:
        raise ConfigurationError(code="broker_conflict", subject=name)
