"""The lock of a widget, under which no code of the user runs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

logger = logging.getLogger(__name__)


class Gate:
    """A re-entrant lock; what must not run under it runs once its holder has let go of it.

    A user's observer may do anything, such as closing the widget, which waits for threads that want the lock.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._put_off: deque[Callable[[], object]] = deque()
        anew_in_child(self, _lock=threading.RLock, _depth=int, _put_off=deque)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        is_open = self._depth == 0
        self._lock.release()
        if is_open:
            self._run()

    def put_off(self, action: Callable[[], object]) -> bool:
        """Have an action run later if this thread holds the lock; tell whether that is so."""
        # Once this thread has the lock, a depth other than zero is its own.
        with self._lock:
            if self._depth == 0:
                return False
            self._put_off.append(action)
            return True

    def _run(self) -> None:
        while True:
            try:
                action = self._put_off.popleft()
            except IndexError:
                return
            try:
                action()
            except Exception:
                logger.exception("an observer of a widget failed")
