"""Connections of requests as this package makes them.

They check certificates as :mod:`tokentoss.util.certificates` says, try several addresses within one
timeout, and print nothing.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from tokentoss.util.certificates import borrow_context, give_back
from tokentoss.util.connect import connect, resolve
from tokentoss.util.deadline import current_deadline
from tokentoss.util.failures import ConnectError
from tokentoss.util.proxies import SOCKS_SCHEMES

if TYPE_CHECKING:
    import ssl

DEFAULT_TIMEOUT = 30.0
"""Seconds for a connection where a caller sets no timeout."""

_SOCKS_PORT = 1080


class _Connection(HTTPConnection):
    # People set http.client.HTTPConnection.debuglevel, which prints whole requests into their notebooks.
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        ends = _ends(self.timeout)
        try:
            made = self._connected(ends)
        except ConnectError as failure:
            if self.proxy is None:
                raise
            raise ConnectError("proxy_unreachable", failure.subject) from None
        return _watched(made, self.timeout)

    def _tunnel(self) -> None:
        super()._tunnel()
        deadline = current_deadline()
        if deadline is not None and deadline.has_passed:
            # The proxy's answer was cut off, which reads as its end.
            self.close()
            raise TimeoutError

    def _connected(self, ends: float) -> socket.socket:
        options = self.socket_options or ()
        return connect(self._dns_host, self.port, ends, options=options, source=self.source_address)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: dict[str, Any] = {"http": _Pool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """What a session of requests makes its connections with."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[Any, Any], tuple[Any, ssl.SSLContext]] = {}
        super().__init__()

    def close(self) -> None:
        """Close the connections."""
        super().close()
        contexts, self._contexts = self._contexts, {}
        for (_, cert), (key, context) in contexts.items():
            # One with a client's certificate is for nobody else.
            if cert is None:
                give_back(key, context)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Make the pools of a proxy."""
        if proxy.split(":", 1)[0].lower() in SOCKS_SCHEMES:
            manager = super().proxy_manager_for(proxy, **named)
            manager.pool_classes_by_scheme = _socks_pools()
        else:
            named["proxy_ssl_context"] = self._context(verify=True, cert=None)
            manager = super().proxy_manager_for(proxy, **named)
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Choose the context of a call; calls with different ones share no connection."""
        host: Any
        named: Any
        host, named = super().build_connection_pool_key_attributes(request, verify, cert)
        for name in ("ca_certs", "ca_cert_dir"):
            named.pop(name, None)
        if host["scheme"] == "https":
            named["ssl_context"] = self._context(verify, cert)
        return host, named

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """Leave the certificates of authorities to the context."""
        super().cert_verify(conn, url, True, cert)  # type: ignore[no-untyped-call]
        conn.ca_certs = conn.ca_cert_dir = None

    def _context(self, verify: Any, cert: Any) -> ssl.SSLContext:
        # A client's certificate is loaded into the context as well.
        key = (verify, cert if isinstance(cert, str) or cert is None else tuple(cert))
        if key not in self._contexts:
            self._contexts[key] = borrow_context(verify if isinstance(verify, str) else None)
        return self._contexts[key][1]


def _ends(timeout: Any) -> float:
    deadline = current_deadline()
    own = time.monotonic() + (timeout if isinstance(timeout, (int, float)) else DEFAULT_TIMEOUT)
    return min(own, deadline.ends) if deadline is not None else own


def _watched(made: socket.socket, timeout: Any) -> socket.socket:
    made.settimeout(timeout if isinstance(timeout, (int, float)) else DEFAULT_TIMEOUT)
    deadline = current_deadline()
    if deadline is not None:
        try:
            deadline.watch(made)
        except BaseException:
            made.close()
            raise
    return made


def _socks_pools() -> dict[str, Any]:
    """Return the pools of a SOCKS proxy, which need the optional PySocks."""
    import socks  # noqa: PLC0415
    from urllib3.contrib.socks import SOCKSConnection  # noqa: PLC0415

    class SocksConnection(SOCKSConnection):
        debuglevel = 0

        def _new_conn(self) -> Any:
            ends = _ends(self.timeout)
            options: Any = self._socks_options
            host = self.host
            if not options["rdns"]:
                # PySocks would ask the resolver without a timeout.
                found = resolve(host, self.port, ends)
                host = next((one[0] for family, one in found if family == socket.AF_INET), found[0][1][0])
            proxies = resolve(options["proxy_host"], options["proxy_port"] or _SOCKS_PORT, ends)
            reason = ConnectError("proxy_unreachable")
            for left, (family, address) in enumerate(reversed(proxies)):
                made = socks.socksocket(family)
                share = (ends - time.monotonic()) / (len(proxies) - left)
                made.settimeout(max(share, 0.001))
                names = options["username"], options["password"]
                made.set_proxy(options["socks_version"], address[0], address[1], options["rdns"], *names)
                try:
                    made.connect((host, self.port))
                    return _watched(made, self.timeout)
                except (socks.ProxyError, OSError) as failure:
                    made.close()
                    reason = _socks_reason(failure)
            raise reason

    class SecureSocksConnection(SocksConnection, HTTPSConnection):
        pass

    class SocksPool(urllib3.HTTPConnectionPool):
        ConnectionCls = SocksConnection

    class SecureSocksPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = SecureSocksConnection

    return {"http": SocksPool, "https": SecureSocksPool}


def _socks_reason(failure: Exception) -> ConnectError:
    import socks  # noqa: PLC0415

    # PySocks wraps its own errors once more, because they are OSErrors.
    failure = getattr(failure, "socket_err", None) or failure
    if isinstance(failure, socks.SOCKS5AuthError):
        return ConnectError("proxy_password_refused")
    if isinstance(failure, (socks.SOCKS5Error, socks.SOCKS4Error)):
        return ConnectError("proxy_refused", failure.msg)
    return ConnectError("proxy_unreachable")
