"""The sign-ins of clients that were given a broker, beside those of widgets."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.oauth.provider import GOOGLE
from tokentoss.session.app_host import visitor
from tokentoss.session.broker_manager import DetachedBrokerManager
from tokentoss.storage.accounts import Account
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider


_shared: weakref.WeakValueDictionary[tuple[object, ...], DetachedBrokerManager] = (
    weakref.WeakValueDictionary()
)
_lock = threading.Lock()
anew_in_child(sys.modules[__name__], _lock=threading.Lock)


def manager_at(
    broker: Broker | str,
    provider: Provider = GOOGLE,
    account: str | Account | None = None,
    *,
    before: DetachedBrokerManager | None = None,
) -> DetachedBrokerManager:
    """Return the manager that all clients of a visitor share which were given the same broker and account.

    Args:
        broker: The broker.
        provider: The provider.
        account: The account.
        before: The manager of a client that asks again; it stays with that one, also once its session ended.
    """
    broker = Broker.of(broker)
    name = account.subject if isinstance(account, Account) else account
    key = (broker, provider.issuer, provider.token_endpoint, name, visitor())
    if before is not None and before.shared_as == key:
        return before
    with _lock:
        found = _shared.get(key)
        # A manager stays with the account of its session, and a new client is of nobody yet.
        if found is None or found.has_ended:
            found = _shared[key] = DetachedBrokerManager(broker, provider, account=name)
            found.shared_as = key
        return found
