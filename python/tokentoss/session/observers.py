"""Telling those who want to know when somebody signs in or out, without keeping them alive."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import TYPE_CHECKING

from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Observers:
    """Bound methods, held weakly."""

    def __init__(self) -> None:
        self._methods: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)

    def add(self, method: Callable[[], None]) -> None:
        """Call a bound method at every change from now on."""
        with self._lock:
            self._methods = [one for one in self._methods if one() is not None]
            self._methods.append(weakref.WeakMethod(method))

    def notify(self) -> None:
        """Call the methods of all who are still alive; what one raises is logged, and stops nobody."""
        with self._lock:
            methods = [one() for one in self._methods]
        for method in methods:
            if method is None:
                continue
            try:
                method()
            except Exception:
                logger.exception("an observer of a session failed")
