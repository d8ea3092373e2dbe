"""The managers of this process that are still in use, found by who is signed in to them."""

from __future__ import annotations

import threading
import weakref
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from tokentoss.session.app_host import visitor
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from tokentoss.session.app_host import Visitor


class LiveManager(Protocol):
    """A manager, as far as it matters here."""

    visitor: Visitor | None

    @property
    def signed_in_order(self) -> tuple[float, int] | None:
        """When somebody signed in, for comparison; None if nobody is signed in."""


Manager = TypeVar("Manager", bound=LiveManager)


class LiveManagers(Generic[Manager]):
    """The managers, held weakly."""

    def __init__(self) -> None:
        self._managers: weakref.WeakSet[Manager] = weakref.WeakSet()
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)

    def add(self, manager: Manager) -> None:
        """Count a manager in for as long as it lives."""
        with self._lock:
            self._managers.add(manager)

    def others(self, manager: Manager) -> list[Manager]:
        """Return all managers of a manager's visitor but itself."""
        with self._lock:
            own = [one for one in self._managers if one.visitor is manager.visitor]
        return [one for one in own if one is not manager]

    def signed_in(self) -> list[Manager]:
        """Return the managers of this visitor with a session, the latest sign-in first."""
        me = visitor()
        with self._lock:
            own = [one for one in self._managers if one.visitor is me]
        orders = [(one.signed_in_order, one) for one in own]
        signed_in = [(order, one) for order, one in orders if order is not None]
        return [one for _, one in sorted(signed_in, key=itemgetter(0), reverse=True)]
