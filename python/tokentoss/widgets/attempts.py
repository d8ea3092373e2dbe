"""Which kind of sign-in a widget offers: its own, or one at a broker."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from tokentoss.session.broker_manager import BrokerManager
from tokentoss.widgets.attempt import Attempt
from tokentoss.widgets.broker_attempt import BrokerAttempt
from tokentoss.widgets.deposit import Deposits
from tokentoss.widgets.weak_method import weakly

if TYPE_CHECKING:
    from tokentoss.callback.redirect_uris import CallbackAddresses
    from tokentoss.handoff.ticket import Exchange
    from tokentoss.session.auth_manager import AuthManager


def attempt_of(
    widget: Any,
    manager: AuthManager,
    addresses: CallbackAddresses,
    *,
    exchange: Exchange,
    login_hint: str | None,
) -> Attempt | BrokerAttempt:
    """Return what offers the sign-ins of a widget, and holds it weakly."""
    send, decided = weakly(widget.send), weakly(widget._decided)  # noqa: SLF001 - the widget's own parts
    if not isinstance(manager, BrokerManager):
        return Attempt(
            manager, addresses, exchange=exchange, login_hint=login_hint, send=send, decided=decided
        )
    attempt = BrokerAttempt(
        manager,
        login_hint=login_hint,
        deposits=Deposits(),
        send=send,
        show=weakly(widget._show_traits),  # noqa: SLF001
        decided=weakly(widget._ended_at_broker),  # noqa: SLF001
        lock=widget._lock,  # noqa: SLF001
    )
    # A widget that is collected offers nothing any more.
    weakref.finalize(widget, attempt.end).atexit = False
    return attempt
