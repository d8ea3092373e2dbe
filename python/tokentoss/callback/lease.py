"""The loopback listeners of this process: one an address, shared by its sign-ins where that is safe."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from tokentoss.callback.claims import claims
from tokentoss.callback.listener import LoopbackListener
from tokentoss.callback.routes import RequestHandler
from tokentoss.exceptions import HandOffError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokentoss.callback.redirect_uris import Loopback


_listeners: dict[tuple[str, int], LoopbackListener] = {}
"""Those that are open, by host and port."""

_any_port: set[tuple[str, int]] = set()
"""Which of them may serve where any port will do."""

_listeners_lock = threading.Lock()


def lease(host: str, port: int, path: str = "/", issuer: str = "") -> tuple[LoopbackListener, str]:
    """Return this process's listener on an address, started if need be, and the redirect URI there.

    The caller has a lease on the listener and a claim on the redirect URI, both to be given back.

    Args:
        host: ``127.0.0.1`` or ``localhost``.
        port: The port; 0 for any free one.
        path: The path of the redirect URI.
        issuer: Who uses it; see :mod:`tokentoss.callback.claims`.

    Raises:
        HandOffError: ``loopback_unavailable`` if the address cannot be listened on;
            ``redirect_uri_shared`` if another issuer uses it.
    """
    with _listeners_lock:
        if port:
            candidates = [one for key, one in _listeners.items() if key == (host, port)]
        else:
            candidates = [one for key, one in _listeners.items() if key in _any_port and one.host == host]
        for listener in candidates:
            if not listener.take_lease():
                # A fixed port is asked for again while its previous listener is closing.
                listener.closed.wait(1.0)
                continue
            if claims.take(listener.origin + path, issuer):
                return listener, listener.origin + path
            listener.release(None)
            if port:
                raise HandOffError(code="redirect_uri_shared", subject=listener.origin + path)
        listener = LoopbackListener(host, port, RequestHandler, _forget)
        listener.take_lease()
        _listeners[host, listener.port] = listener
        if not port:
            _any_port.add((host, listener.port))
        if not claims.take(listener.origin + path, issuer):
            # Of a listener that closed before its sign-in gave its claim back.
            listener.release(None)
            raise HandOffError(code="redirect_uri_shared", subject=listener.origin + path)
        return listener, listener.origin + path


def lease_first(addresses: Sequence[Loopback], issuer: str = "") -> tuple[LoopbackListener, str]:
    """Return a listener, with a lease on it, on the first free address, and the redirect URI there.

    Args:
        addresses: The addresses, at least one.
        issuer: Who uses it; see :mod:`tokentoss.callback.claims`.

    Raises:
        HandOffError: ``loopback_unavailable``, ``loopback_ports_taken`` or ``redirect_uri_shared`` if none
            is free.
    """
    failures = []
    for address in addresses:
        try:
            return lease(address.host, address.port, address.path, issuer)
        except HandOffError as failure:
            failures.append(failure)
    if len(addresses) > 1 and all(one.code == "loopback_unavailable" for one in failures):
        ports = ", ".join(dict.fromkeys(str(address.port) for address in addresses))
        raise HandOffError(code="loopback_ports_taken", subject=ports)
    raise failures[-1]


def _forget(listener: LoopbackListener) -> None:
    with _listeners_lock:
        for address in [address for address, one in _listeners.items() if one is listener]:
            del _listeners[address]
            _any_port.discard(address)


def _close_all() -> None:
    for listener in list(_listeners.values()):
        listener.close()


def _after_fork_in_child() -> None:
    global _listeners_lock  # noqa: PLW0603 - a lock held by another thread stays locked for ever here
    _listeners_lock = threading.Lock()
    for listener in _listeners.values():
        listener.abandon()
    _listeners.clear()
    _any_port.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
