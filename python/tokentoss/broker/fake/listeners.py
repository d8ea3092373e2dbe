"""Who listens to the news of the fake broker."""

from __future__ import annotations

import json
import select
import threading
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from tokentoss.broker.fake.problems import ProblemError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    Owner = tuple[str, str]
    Waiting = Queue[str]

MOST = 16
"""Listeners of one user."""

QUEUE = 64
"""Events that wait for one listener; whoever lets more wait is cut off."""

_LOOK = 0.05
_KEEP_ALIVE = 15.0


class Listeners:
    """The listeners of all users. Tests may send what no broker sends, and cut everybody off."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Owner, Waiting]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def tell(self, owner: Owner, name: str, members: dict[str, Any]) -> None:
        """Tell a user's listeners of an event."""
        self.send(f"event: {name}\ndata: {json.dumps(members)}\n\n", owner)

    def send(self, text: str, owner: Owner | None = None) -> None:
        """Send a text to a user's listeners, or to everybody's."""
        with self._lock:
            for one in list(self._waiting):
                if owner not in {None, one[0]}:
                    continue
                try:
                    one[1].put_nowait(text)
                except Full:
                    self._waiting.remove(one)

    def cut(self) -> None:
        """Break every connection."""
        with self._lock:
            self._waiting.clear()

    @contextmanager
    def listening(self, owner: Owner) -> Iterator[Waiting]:
        """Listen to one user's news.

        Raises:
            ProblemError: ``rate_limited``.
        """
        waiting: Waiting = Queue(QUEUE)
        with self._lock:
            if sum(one == owner for one, _ in self._waiting) >= MOST:
                raise ProblemError("rate_limited", retry_after=1)
            self._waiting.append((owner, waiting))
        try:
            yield waiting
        finally:
            with self._lock:
                self._waiting = [one for one in self._waiting if one[1] is not waiting]

    def news(self, waiting: Waiting, connection: socket.socket) -> Iterator[str]:
        """Yield what a listener is sent, until it leaves or is cut off."""
        quiet = 0.0
        while True:
            try:
                yield waiting.get(timeout=_LOOK)
                quiet = 0.0
            except Empty:
                with self._lock:
                    is_listed = any(one is waiting for _, one in self._waiting)
                # A listener says nothing more: what can be read is its end.
                if not is_listed or select.select([connection], [], [], 0)[0]:
                    return
                quiet += _LOOK
                if quiet >= _KEEP_ALIVE:
                    quiet = 0.0
                    yield ":\n\n"
