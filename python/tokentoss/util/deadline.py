"""One deadline for a whole call: names, addresses, handshakes, headers and body together."""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """Ends what a call waits for: at its time the sockets of the call are shut down.

    Timeouts of sockets count from every byte, so an answer that drips would go on for ever.

    Args:
        seconds: Seconds from now; infinity for a call that only :meth:`abort` ends.
    """

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self.has_passed = False
        self._sockets: list[socket.socket] = []
        # Re-entrant, because the garbage collector may close a widget, and so abort a call, anywhere.
        self._lock = threading.RLock()
        self._finished = threading.Event()
        self._is_watched = False
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
        self._finished.set()
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Shut a connection down at the deadline.

        Raises:
            TimeoutError: If it has passed.
        """
        # The handshake of TLS takes the descriptor away from its object; a copy of it still ends both.
        copy = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with self._lock:
            self._sockets.append(copy)
        if time.monotonic() >= self.ends:
            self._end()
            raise TimeoutError
        if not self._is_watched and self.ends != math.inf:
            self._is_watched = True
            # Without a thread to be had, the timeouts of the sockets still hold.
            with suppress(RuntimeError):
                threading.Thread(target=self._wait, name="tokentoss-deadline", daemon=True).start()

    def abort(self) -> None:
        """End the call now, from whichever thread."""
        self.ends = -math.inf
        self._end()

    def _wait(self) -> None:
        if not self._finished.wait(max(0.0, self.ends - time.monotonic())):
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.has_passed = True
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def current_deadline() -> Deadline | None:
    """Return the deadline of the call that this thread makes, if it has one."""
    return _current.get()
