"""The loopback listener: one a process and address, open only while a sign-in may need it."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tokentoss.callback.sockets import close_gently, listen, shut_down
from tokentoss.exceptions import HandOffError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.handoff.sign_in import HandOff

LINGER = 2.0
"""Seconds that it stays open after the last sign-in, so that its popup still gets an answer."""

MAX_WAITING = 128
"""Connections whose request has not arrived; beyond them the oldest is dropped."""

REQUEST_DEADLINE = 10.0
"""Seconds within which a request must have arrived."""


class LoopbackListener:
    """Listens on this machine's loopback address for one or more sign-ins.

    Obtain one with :func:`tokentoss.callback.lease.lease` and give it back with :meth:`release`.

    Args:
        host: ``127.0.0.1``, or ``localhost`` for a web client that is registered so.
        port: The port; 0 for any free one.
        serve: Answers one request: called with a connection, the client's address and this listener.
        closed: Called, from the listener's thread, once it has closed.

    Raises:
        HandOffError: ``loopback_unavailable`` if the address cannot be listened on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        serve: Callable[[socket.socket, Any, LoopbackListener], object],
        closed: Callable[[LoopbackListener], None],
    ) -> None:
        self._answer = serve
        self._notify_closed = closed
        self._sockets = listen(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        # Browsers leave the default port out.
        self.authority = host if self.port == 80 else f"{host}:{self.port}"  # noqa: PLR2004
        self.origin = f"http://{self.authority}"
        self._hand_offs: dict[str, HandOff] = {}
        self._leases = 0
        self._close_at: float | None = None
        # Re-entrant, because a widget may be collected anywhere, and gives its lease back then.
        self._lock = threading.RLock()
        self._waiting: OrderedDict[socket.socket, float] = OrderedDict()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_sender.setblocking(False)
        self._owner = os.getpid()
        self.closed = threading.Event()
        try:
            threading.Thread(target=self._run, name="tokentoss-listener", daemon=True).start()
        except RuntimeError:  # a Python without threads
            self.abandon()
            raise HandOffError(code="loopback_unavailable", subject=self.authority) from None

    def add(self, hand_off: HandOff) -> None:
        """Answer for this sign-in until :meth:`release`."""
        with self._lock:
            self._hand_offs[hand_off.id] = hand_off

    def hand_off(self, ticket_id: str) -> HandOff | None:
        """Return the sign-in of a ticket that is still outstanding."""
        with self._lock:
            hand_off = self._hand_offs.get(ticket_id)
        return None if hand_off is None or hand_off.done.is_set() else hand_off

    def hand_offs(self, redirect_path: str | None = None) -> list[HandOff]:
        """Return the sign-ins, only those of a redirect path if one is given."""
        with self._lock:
            hand_offs = list(self._hand_offs.values())
        if redirect_path is None:
            return hand_offs
        return [one for one in hand_offs if one.redirect_uri == self.origin + redirect_path]

    def redirect_paths(self) -> set[str]:
        """Return the paths to which providers send the popup."""
        return {one.redirect_uri[len(self.origin) :] for one in self.hand_offs() if one.redirect_uri}

    def release(self, hand_off: HandOff | None) -> None:
        """Give a lease back; the listener closes soon after the last one."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._leases -= 1
            if self._leases == 0:
                self._close_at = time.monotonic() + LINGER
            elif hand_off is not None and not hand_off.done.is_set():
                self._hand_offs.pop(hand_off.id, None)
            self._forget_decided()
        self._wake()

    def request_read(self, connection: socket.socket) -> None:
        """Note that a connection's request has arrived, so that nothing drops it any more."""
        with self._lock:
            self._waiting.pop(connection, None)

    def close(self) -> None:
        """Close at once, whatever is under way."""
        with self._lock:
            self._close_at = 0.0
            self._leases = 0
        self._wake()

    def abandon(self) -> None:
        """Close the copies of the sockets that a forked process got; the parent's stay open."""
        for one in (*self._sockets, self._wake_receiver, self._wake_sender):
            with suppress(OSError):
                one.close()

    def take_lease(self) -> bool:
        """Take a lease unless the listener is closing."""
        with self._lock:
            if self._close_at is not None and time.monotonic() >= self._close_at:
                return False
            self._leases += 1
            self._close_at = None
            return True

    def _forget_decided(self) -> None:
        # A decided sign-in stays until the linger ends, for the popup's late question; never more than a few.
        decided = [key for key, one in list(self._hand_offs.items()) if one.done.is_set()]
        for key in decided[:-8]:
            self._hand_offs.pop(key, None)

    def _wake(self) -> None:
        with suppress(OSError):
            self._wake_sender.send(b"\0")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in self._sockets:
                selector.register(one, selectors.EVENT_READ)
            selector.register(self._wake_receiver, selectors.EVENT_READ)
            while not self._is_over():
                for key, _ in selector.select(self._pause()):
                    if key.fileobj is self._wake_receiver:
                        self._wake_receiver.recv(64)
                    else:
                        self._accept(key.fileobj)  # type: ignore[arg-type]
                self._drop_slow()
        for one in (*self._sockets, self._wake_receiver, self._wake_sender):
            one.close()
        with self._lock:
            waiting = list(self._waiting)
            self._hand_offs.clear()
        for connection in waiting:
            shut_down(connection)
        self.closed.set()
        self._notify_closed(self)

    def _is_over(self) -> bool:
        with self._lock:
            return self._close_at is not None and time.monotonic() >= self._close_at

    def _pause(self) -> float | None:
        with self._lock:
            now = time.monotonic()
            ends = [] if self._close_at is None else [self._close_at - now]
            if self._waiting:
                ends.append(next(iter(self._waiting.values())) + REQUEST_DEADLINE - now)
        return max(0.0, min(ends)) if ends else None

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, address = listening.accept()
        except OSError as failure:
            if failure.errno in {errno.EMFILE, errno.ENFILE}:
                # Out of descriptors: what waits longest gives its own back.
                self._drop_oldest()
                time.sleep(0.01)
            return
        with self._lock:
            self._waiting[connection] = time.monotonic()
            crowded = len(self._waiting) > MAX_WAITING
        if crowded:
            self._drop_oldest()
        thread = threading.Thread(
            target=self._serve, args=(connection, address), name="tokentoss-request", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self.request_read(connection)
            connection.close()

    def _serve(self, connection: socket.socket, address: object) -> None:
        try:
            with suppress(OSError):
                self._answer(connection, address, self)
        finally:
            self.request_read(connection)
            close_gently(connection)

    def _drop_slow(self) -> None:
        latest = time.monotonic() - REQUEST_DEADLINE
        with self._lock:
            slow = [one for one, since in self._waiting.items() if since <= latest]
            for one in slow:
                del self._waiting[one]
        for one in slow:
            shut_down(one)

    def _drop_oldest(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            oldest, _ = self._waiting.popitem(last=False)
        shut_down(oldest)
