"""Which kind of sign-in a widget offers: its own, or one at a broker."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokentoss.callback.attempt import Attempt
from tokentoss.callback.redirect_uris import CallbackAddresses
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.widgets.arguments import checked_exchange
from tokentoss.widgets.broker_attempt import BrokerAttempt
from tokentoss.widgets.deposit import Deposits
from tokentoss.widgets.weak_method import weakly
from tokentoss.widgets.without_client import NoAttempt, NoClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokentoss.handoff.ticket import Exchange
    from tokentoss.session.auth_manager import AuthManager


@dataclass(frozen=True)
class Options:
    """What a widget was given for its sign-ins; see :class:`AuthWidget`."""

    redirect_ports: Sequence[int] | None
    redirect_uri: str | Sequence[str] | None
    exchange: Exchange
    login_hint: str | None


def attempt_of(widget: Any, manager: AuthManager, options: Options) -> Attempt | BrokerAttempt | NoAttempt:
    """Return what offers the sign-ins of a widget, and holds it weakly.

    Raises:
        ConfigurationError: If an option does not fit the client.
    """
    if isinstance(manager, NoClient):
        return NoAttempt(manager.reason)
    exchange = checked_exchange(options.exchange, manager)
    ports, uri, login_hint = options.redirect_ports, options.redirect_uri, options.login_hint
    send, decided = weakly(widget.send), weakly(widget._decided)  # noqa: SLF001 - the widget's own parts
    if not isinstance(manager, BrokerManager):
        addresses = CallbackAddresses.of(
            manager.client_config,
            manager.provider.redirect_path,
            redirect_ports=ports,
            redirect_uri=uri,
        )
        return Attempt(
            manager, addresses, exchange=exchange, login_hint=login_hint, send=send, decided=decided
        )
    attempt = BrokerAttempt(
        manager,
        login_hint=login_hint,
        deposits=Deposits(manager, ports, uri, login_hint=login_hint, send=send, decided=decided),
        send=send,
        show=weakly(widget._show_traits),  # noqa: SLF001
        decided=weakly(widget._ended_at_broker),  # noqa: SLF001
        lock=widget._lock,  # noqa: SLF001
    )
    # A widget that is collected offers nothing any more.
    weakref.finalize(widget, attempt.close).atexit = False
    return attempt
