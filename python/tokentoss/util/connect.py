"""TCP connections to a host with several addresses, some of which may be dead.

The standard library and urllib3 try one address after the other, each for the whole timeout. Here the next
one is tried after a quarter of a second, and the first that answers wins ("Happy Eyeballs", RFC 8305).
"""

from __future__ import annotations

import errno
import os
import queue
import selectors
import socket
import threading
import time
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from tokentoss.util.failures import UNREACHABLE, ConnectError

if TYPE_CHECKING:
    from collections.abc import Iterable

ATTEMPT_DELAY = 0.25
"""Seconds until the next address is tried beside those that have not answered (RFC 8305 section 5)."""

_IN_PROGRESS = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN})

Address = tuple[int, Any]
"""An address family and a socket address."""

SocketOptions = list[tuple[int, int, Any]]


def resolve(host: str, port: int, ends: float) -> list[Address]:
    """Return the addresses of a host, the two families by turns.

    Args:
        host: A name or an address.
        port: The port.
        ends: When to give up, on the monotonic clock.

    Raises:
        ConnectError: ``host_unknown``.
    """
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as failure:
            answers.put(failure)

    try:
        # The resolver of the operating system has no timeout.
        threading.Thread(target=ask, name="tokentoss-resolver", daemon=True).start()
    except RuntimeError:
        ask()
    try:
        found = answers.get(timeout=max(0.0, ends - time.monotonic()))
    except queue.Empty:
        raise ConnectError("host_unknown", f"{host} (no answer in time)") from None
    if not isinstance(found, list) or not found:
        raise ConnectError("host_unknown", host)
    return _by_turns((family, address) for family, _, _, _, address in found)


def connect(
    host: str,
    port: int,
    ends: float,
    *,
    options: Iterable[tuple[int, int, Any]] = (),
    source: Any = None,
) -> socket.socket:
    """Connect to whichever address of a host answers first.

    Args:
        host: A name or an address.
        port: The port.
        ends: When to give up, on the monotonic clock.
        options: Options of the socket, as for ``setsockopt``.
        source: The address to connect from, if it matters.

    Raises:
        ConnectError: ``host_unknown`` or :data:`UNREACHABLE`, saying why.
    """
    race = _Race(list(options), source)
    try:
        return race.run(resolve(host, port, ends), ends)
    finally:
        race.close()


class _Race:
    def __init__(self, options: SocketOptions, source: Any) -> None:
        self._options = options
        self._source = source
        self._selector = selectors.DefaultSelector()
        self._running: set[socket.socket] = set()
        self._failure: str | None = None

    def close(self) -> None:
        for one in self._running:
            one.close()
        self._selector.close()

    def run(self, addresses: list[Address], ends: float) -> socket.socket:
        waiting = list(addresses)
        next_at = time.monotonic()
        while waiting or self._running:
            now = time.monotonic()
            if now >= ends:
                self._failure = self._failure or "no answer in time"
                break
            if waiting and (now >= next_at or not self._running):
                self._start(*waiting.pop(0))
                next_at = now + ATTEMPT_DELAY
                continue
            winner = self._first((min(ends, next_at) if waiting else ends) - now)
            if winner is not None:
                return winner
        raise ConnectError(UNREACHABLE, self._failure)

    def _start(self, family: int, address: Any) -> None:
        try:
            one = socket.socket(family, socket.SOCK_STREAM)
        except OSError as failure:
            self._failure = failure.strerror
            return
        try:
            for option in self._options:
                one.setsockopt(*option)
            if self._source:
                one.bind(self._source)
            one.setblocking(False)
            code = one.connect_ex(address)
        except OSError as failure:
            code = failure.errno or errno.EINVAL
        if code in _IN_PROGRESS:
            self._running.add(one)
            self._selector.register(one, selectors.EVENT_WRITE)
        else:
            one.close()
            self._note(code)

    def _first(self, timeout: float) -> socket.socket | None:
        for key, _ in self._selector.select(max(0.0, timeout)):
            one = key.fileobj
            assert isinstance(one, socket.socket)  # noqa: S101 - only sockets are registered
            self._selector.unregister(one)
            self._running.discard(one)
            code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return one
            one.close()
            self._note(code)
        return None

    def _note(self, code: int) -> None:
        self._failure = os.strerror(code).lower()


def _by_turns(addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses with the families by turns, beginning with the first (RFC 8305 section 4)."""
    found = list(addresses)
    first = [one for one in found if one[0] == found[0][0]]
    others = [one for one in found if one[0] != found[0][0]]
    return [one for one in chain.from_iterable(zip_longest(first, others)) if one is not None]
