"""The loopback listeners of this process: one an address, shared by its sign-ins."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from tokentoss.callback.listener import LoopbackListener
from tokentoss.callback.routes import RequestHandler
from tokentoss.exceptions import HandOffError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokentoss.callback.redirect_uris import Loopback


_listeners: dict[tuple[str, int], LoopbackListener] = {}


_listeners_lock = threading.Lock()


def lease(host: str, port: int) -> LoopbackListener:
    """Return this process's listener on an address, started if need be, with a lease on it.

    Args:
        host: ``127.0.0.1`` or ``localhost``.
        port: The port; 0 for any free one.

    Raises:
        HandOffError: ``loopback_unavailable`` if the address cannot be listened on.
    """
    with _listeners_lock:
        listener = _listeners.get((host, port))
        if listener is None or not listener.take_lease():
            if listener is not None:
                # A fixed port is asked for again while its previous listener is closing.
                listener.closed.wait(1.0)
            listener = LoopbackListener(host, port, RequestHandler, _forget)  # type: ignore[arg-type]
            listener.take_lease()
            _listeners[host, port] = listener
        return listener


def lease_first(addresses: Sequence[Loopback]) -> tuple[LoopbackListener, str]:
    """Return a listener, with a lease on it, on the first free address, and the redirect URI there.

    Args:
        addresses: The addresses, at least one.

    Raises:
        HandOffError: ``loopback_unavailable`` or ``loopback_ports_taken`` if none is free.
    """
    for address in addresses:
        try:
            listener = lease(address.host, address.port)
        except HandOffError as failure:
            unavailable = failure
            continue
        return listener, listener.origin + address.path
    if len(addresses) > 1:
        ports = ", ".join(dict.fromkeys(str(address.port) for address in addresses))
        raise HandOffError(code="loopback_ports_taken", subject=ports)
    raise unavailable


def _forget(listener: LoopbackListener) -> None:
    with _listeners_lock:
        for address in [address for address, one in _listeners.items() if one is listener]:
            del _listeners[address]


def _close_all() -> None:
    for listener in list(_listeners.values()):
        listener.close()


def _after_fork_in_child() -> None:
    global _listeners_lock  # noqa: PLW0603 - a lock held by another thread stays locked for ever here
    _listeners_lock = threading.Lock()
    for listener in _listeners.values():
        listener.abandon()
    _listeners.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
