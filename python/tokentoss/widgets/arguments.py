"""What the arguments of the sign-in widget stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.broker.address import Broker
from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError
from tokentoss.handoff.ticket import EXCHANGES, Exchange, device_endpoint_of_page
from tokentoss.oauth.provider import GOOGLE, Provider
from tokentoss.session.auth_manager import AuthManager
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.util.pyodide import in_browser
from tokentoss.widgets.without_client import NoClient

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.storage import TokenStorage


def manager_from(
    *,
    broker: Broker | str | None,
    auth_manager: AuthManager | None,
    exchange: Exchange,
    provider: Provider | None,
    client_id: str | None,
    client_secret: str | None,
    client_secrets_path: str | Path | None,
    client_config: ClientConfig | None,
    storage: TokenStorage | None,
    scopes: list[str] | None,
    max_session_lifetime_hours: float | None,
    hosted_domain: str | None,
) -> AuthManager:
    """Return a manager for a widget that was not given one; see :class:`AuthWidget` for the arguments.

    Raises:
        ConfigurationError: If the client is not usable; ``broker_conflict`` if a broker is given beside what
            it takes the place of.
    """
    chosen = broker_beside(
        broker,
        auth_manager=auth_manager,
        client_id=client_id,
        client_secret=client_secret,
        client_secrets_path=client_secrets_path,
        client_config=client_config,
        storage=storage,
        max_session_lifetime_hours=max_session_lifetime_hours,
        hosted_domain=hosted_domain,
        exchange=None if exchange == "auto" else exchange,
    )
    if chosen is not None:
        return BrokerManager(chosen, provider or GOOGLE, scopes=scopes)
    optional: dict[str, Any] = {"max_session_lifetime_hours": max_session_lifetime_hours}
    return AuthManager(
        client_config=_client(provider, client_id, client_secret, client_config),
        client_secrets_path=client_secrets_path,
        storage=storage,
        scopes=scopes,
        provider=provider,
        hosted_domain=hosted_domain,
        **{name: value for name, value in optional.items() if value is not None},
    )


def broker_beside(broker: Broker | str | None, **others: object) -> Broker | None:
    """Return the broker to use: the one that is given, or that of the environment if nothing else is given.

    Args:
        broker: The broker.
        **others: The arguments that a broker takes the place of, None where they are not given.

    Raises:
        ConfigurationError: ``broker_conflict``.
    """
    given = [name for name, value in others.items() if value is not None]
    if broker is None:
        return None if given else Broker.of_environment()
    if given:
        raise ConfigurationError(code="broker_conflict", subject=given[0])
    return Broker.of(broker)


def checked_exchange(exchange: Exchange, manager: AuthManager) -> Exchange:
    """Return who redeems the code, if they can.

    Raises:
        ConfigurationError: ``exchange_invalid``, or ``exchange_needs_…`` if the page cannot do it.
    """
    if exchange not in EXCHANGES:
        raise ConfigurationError(code="exchange_invalid", subject=repr(exchange))
    provider = manager.provider
    if exchange == "browser" and manager.client_config.client_type == "web":
        raise ConfigurationError(code="exchange_needs_secret")
    if exchange == "browser" and (provider.trusted_audiences or provider.token_issuer):
        raise ConfigurationError(code="exchange_needs_audiences", subject=provider.name)
    if exchange == "browser" and not provider.openid_connect:
        raise ConfigurationError(code="exchange_needs_identity", subject=provider.name)
    return exchange


def offers_code(manager: AuthManager, exchange: Exchange) -> bool:
    """Tell whether a code can be asked for: the kernel waits for it in a thread, a page needs none."""
    if isinstance(manager, (BrokerManager, NoClient)):
        return False
    if in_browser():
        return device_endpoint_of_page(manager, exchange) is not None
    return manager.provider.device_authorization_endpoint is not None


def _client(
    provider: Provider | None, client_id: str | None, client_secret: str | None, config: ClientConfig | None
) -> ClientConfig | None:
    if client_id is None:
        return config
    if not client_id.strip():
        raise ConfigurationError(code="client_id_invalid")
    provider = provider or GOOGLE
    return ClientConfig(
        client_id=client_id.strip(),
        client_secret=(client_secret or "").strip(),
        auth_uri=provider.authorization_endpoint,
        token_uri=provider.token_endpoint,
    )
