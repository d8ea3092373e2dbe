"""The sockets of the loopback listener."""

from __future__ import annotations

import errno
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from tokentoss.exceptions import HandOffError

BACKLOG = 128
"""Connections that wait to be accepted."""


LINGER = 0.5
"""Seconds in all that a client may go on sending after its answer."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on a loopback address, on both address families for ``localhost``.

    Raises:
        HandOffError: ``loopback_unavailable``.
    """
    # For "localhost" browsers try ::1 first: whoever else listened there would get the code.
    addresses = [(socket.AF_INET, "127.0.0.1")]
    if host == "localhost":
        addresses.append((socket.AF_INET6, "::1"))
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            try:
                sockets.append(_listen_on(family, address, port))
            except OSError as failure:
                if family == socket.AF_INET6 and failure.errno != errno.EADDRINUSE:
                    continue  # this machine has no IPv6
                raise
    except OSError:
        for one in sockets:
            one.close()
        where = f"{host}:{port}" if port else host
        raise HandOffError(code="loopback_unavailable", subject=where) from None
    return sockets


def _listen_on(family: int, address: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR would let another program take the same port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif port:
            # A fixed port is free again although connections of its last use still linger.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(BACKLOG)
        listening.settimeout(1.0)  # a client may be gone again before it is accepted
    except OSError:
        listening.close()
        raise
    return listening


def shut_down(connection: socket.socket) -> None:
    """End a connection that another thread reads from."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def close_gently(connection: socket.socket) -> None:
    """Close a connection after its answer, which its client may take for a moment."""
    # Closing over unread input resets the connection, and with it an answer that is still on its way.
    ends = time.monotonic() + LINGER
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := ends - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65_536):
                break
    connection.close()


class BoundedReader:
    """A reader whose lines end, as if the connection had, once they exceed a limit together."""

    def __init__(self, reader: Any, limit: int) -> None:
        self._reader = reader
        self._left = limit

    def readline(self, size: int = -1) -> bytes:
        """Read one line of the request head."""
        line: bytes = self._reader.readline(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise ConnectionError("the request head is too long")
        return line

    def read(self, size: int) -> bytes:
        """Read the body, which has a limit of its own."""
        data: bytes = self._reader.read(size)
        return data

    def close(self) -> None:
        """Close the reader below."""
        self._reader.close()

    @property
    def closed(self) -> bool:
        """Whether the reader below is closed."""
        return bool(self._reader.closed)
