"""The open connections of the listener: so many at a time, each for so long."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from tokentoss.callback.sockets import shut_down

if TYPE_CHECKING:
    import socket

MAX_CONNECTIONS = 64
"""Connections, and so threads, at a time; beyond them the oldest that is not being answered is dropped."""

DEADLINE = 10.0
"""Seconds within which a request must have arrived, and again within which its answer must be taken."""

_ROOM = 1.0  # seconds that a new connection waits for the thread of a dropped one


class Connections:
    """Counts connections in and out."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        # Since when each waits for its client; None while it is being answered.
        self._open: OrderedDict[socket.socket, float | None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: socket.socket) -> bool:
        """Tell whether there is room for one more, which is made if need be."""
        if not self._slots.acquire(blocking=False):
            self.drop_oldest()
            if not self._slots.acquire(timeout=_ROOM):
                return False
        with self._lock:
            self._open[connection] = time.monotonic()
        return True

    def answering(self, connection: socket.socket) -> None:
        """Note that a request has arrived, so that nothing drops its connection until it is answered."""
        with self._lock:
            if connection in self._open:
                self._open[connection] = None

    def answered(self, connection: socket.socket) -> None:
        """Note that the client now has to take its answer."""
        with self._lock:
            if connection in self._open:
                self._open[connection] = time.monotonic()

    def remove(self, connection: socket.socket) -> None:
        """Count a connection out that is closed."""
        with self._lock:
            if self._open.pop(connection, 0) == 0:
                return
        self._slots.release()

    def drop_oldest(self) -> None:
        """End the connection that waits for its client longest; its thread then closes it."""
        with self._lock:
            waiting = [(since, one) for one, since in self._open.items() if since is not None]
            oldest = min(waiting, key=lambda item: item[0], default=None)
            if oldest is not None:
                # The next one to be dropped is another one.
                self._open[oldest[1]] = None
        if oldest is not None:
            shut_down(oldest[1])

    def drop_slow(self) -> None:
        """End the connections whose time is over."""
        latest = time.monotonic() - DEADLINE
        with self._lock:
            slow = [one for one, since in self._open.items() if since is not None and since <= latest]
            for one in slow:
                self._open[one] = None
        for one in slow:
            shut_down(one)

    def drop_all(self) -> None:
        """End all connections that are not being answered."""
        with self._lock:
            waiting = [one for one, since in self._open.items() if since is not None]
        for one in waiting:
            shut_down(one)
