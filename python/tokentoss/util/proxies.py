"""Which proxy a call goes through, decided for every address; its password is never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from tokentoss.util.failures import ConnectError
from tokentoss.util.secret import Secret
from tokentoss.util.urls import is_loopback_host

SOCKS_SCHEMES = frozenset({"socks4", "socks4a", "socks5", "socks5h"})
_SCHEMES = frozenset({"http", "https"}) | SOCKS_SCHEMES


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    Args:
        url: Its address, with the password.
        shown: Its address without user name and password, and the variable that names it.
    """

    url: Secret
    shown: str


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy of the environment (or of the operating system's settings) for an address.

    None for this machine, whatever the variables say: a proxy would see what is meant for nobody else, and
    reach another machine.

    Raises:
        ConnectError: ``proxy_invalid`` if a variable names none that could be used, or
            ``proxy_socks_missing``.
    """
    if is_loopback_host(urlsplit(url).hostname or ""):
        return None
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415 - costs requests

    value = select_proxy(url, get_environ_proxies(url))
    if not value:
        return None
    return checked_proxy(value, _variable_of(value, urlsplit(url).scheme))


def checked_proxy(value: str, name: str) -> Proxy:
    """Return a proxy that is named somewhere.

    Args:
        value: Its address; http is meant where no scheme is given.
        name: Where it is named.

    Raises:
        ConnectError: As :func:`proxy_for`.
    """
    address = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _SCHEMES:
        raise ConnectError("proxy_invalid", name)
    if parts.scheme in SOCKS_SCHEMES:
        _require_socks(name)
    host = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    return Proxy(Secret(address), f"{shown} ({name})")


def proxy_variable_for(url: str) -> str | None:
    """Return what makes HTTP clients send a call to a proxy; None if nothing in the environment does."""
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415 - costs requests

    value = select_proxy(url, get_environ_proxies(url))
    return _variable_of(value, urlsplit(url).scheme) if value else None


def _variable_of(value: str, scheme: str) -> str:
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if os.environ.get(name) == value:
            return name
    return "the operating system's settings"


def _require_socks(name: str) -> None:
    try:
        import socks  # noqa: F401, PLC0415 - an optional dependency
    except ImportError:
        raise ConnectError("proxy_socks_missing", name) from None
