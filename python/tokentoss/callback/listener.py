"""The loopback listener: one a process and address, open only while a sign-in may need it."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tokentoss.callback.connections import Connections
from tokentoss.callback.sockets import close_gently, listen, shut_down
from tokentoss.exceptions import HandOffError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from tokentoss.handoff.sign_in import HandOff

logger = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds that it stays open after the last sign-in, so that its popup still gets an answer."""

POLL = 0.25
"""Seconds between two looks at what is over."""


class LoopbackListener:
    """Listens on this machine's loopback address for one or more sign-ins.

    Obtain one with :func:`tokentoss.callback.lease.lease` and give it back with :meth:`release`.

    Args:
        host: ``127.0.0.1``, or ``localhost`` for a web client that is registered so.
        port: The port; 0 for any free one.
        handler: Answers one request.
        closed: Called, from the listener's thread, once it has closed.

    Attributes:
        connections: Those that are open.

    Raises:
        HandOffError: ``loopback_unavailable`` if the address cannot be listened on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: type[BaseHTTPRequestHandler],
        closed: Callable[[LoopbackListener], None],
    ) -> None:
        self._notify_closed = closed
        self.connections = Connections()
        self._servers = [_Server(one, handler, self) for one in listen(host, port)]
        self.host = host
        self.port: int = self._servers[0].server_address[1]
        # Browsers leave the default port out.
        self.authority = host if self.port == 80 else f"{host}:{self.port}"  # noqa: PLR2004
        self.origin = f"http://{self.authority}"
        self._hand_offs: dict[str, HandOff] = {}
        self._leases = 0
        self._close_at: float | None = None
        # Re-entrant, because a widget may be collected anywhere, and gives its lease back then.
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._running = len(self._servers)
        self.closed = threading.Event()
        try:
            for server in self._servers:
                threading.Thread(
                    target=self._run, args=(server,), name="tokentoss-listener", daemon=True
                ).start()
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
        return [one for one in hand_offs if self._path_of(one) == redirect_path]

    def redirect_paths(self) -> set[str]:
        """Return the paths to which providers send the popup."""
        return {path for path in map(self._path_of, self.hand_offs()) if path is not None}

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

    def close(self) -> None:
        """Close at once, whatever is under way."""
        with self._lock:
            self._close_at = 0.0
            self._leases = 0

    def abandon(self) -> None:
        """Close the copies of the sockets that a forked process got; the parent's stay open."""
        for server in self._servers:
            with suppress(OSError):
                server.server_close()

    def take_lease(self) -> bool:
        """Take a lease unless the listener is closing."""
        with self._lock:
            if self._is_over():
                return False
            self._leases += 1
            self._close_at = None
            return True

    def _path_of(self, hand_off: HandOff) -> str | None:
        uri = hand_off.redirect_uri
        # A browser asks for "/" where an address has no path at all.
        return None if uri is None else uri[len(self.origin) :] or "/"

    def _forget_decided(self) -> None:
        # A decided sign-in stays until the linger ends, for the popup's late question; never more than a few.
        decided = [key for key, one in list(self._hand_offs.items()) if one.done.is_set()]
        for key in decided[:-8]:
            self._hand_offs.pop(key, None)

    def _run(self, server: _Server) -> None:
        while not self._is_over():
            server.handle_request()
            self.connections.drop_slow()
        server.server_close()
        with self._lock:
            self._running -= 1
            is_last = self._running == 0
            self._hand_offs.clear()
        if is_last:
            self.connections.drop_all()
            self.closed.set()
            self._notify_closed(self)

    def _is_over(self) -> bool:
        with self._lock:
            return self._close_at is not None and time.monotonic() >= self._close_at


class _Server(ThreadingHTTPServer):
    """Accepts the connections of one socket, as many as there is room for."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, listening: socket.socket, handler: type[BaseHTTPRequestHandler], listener: LoopbackListener
    ) -> None:
        super().__init__(listening.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening  # bound and listening already
        self.server_address = listening.getsockname()[:2]
        self.listener = listener
        self.timeout = POLL

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; out of descriptors, what waits longest gives its own back."""
        try:
            return super().get_request()
        except OSError as failure:
            if failure.errno in {errno.EMFILE, errno.ENFILE}:
                self.listener.connections.drop_oldest()
                time.sleep(0.01)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, if there is room."""
        if not self.listener.connections.admit(request):
            shut_down(request)
            request.close()
            return
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection after its answer."""
        self.listener.connections.answered(request)
        try:
            close_gently(request)
        finally:
            self.listener.connections.remove(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of the request: it may hold a code."""
        del request, client_address
        failure = sys.exc_info()[0]
        logger.debug("a request failed: %s", failure.__name__ if failure else "")
