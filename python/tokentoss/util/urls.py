"""Origins (RFC 6454) and the rule which endpoints are safe: https anywhere, http on loopback only."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from tokentoss.exceptions import ConfigurationError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What a URL may hold (RFC 3986), at a length that any browser takes.
_PAGE = re.compile(r"[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%@#]{1,2048}")
_UNSAFE_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")


def split_url(url: str) -> SplitResult | None:
    """Split an absolute http(s) URL with a host; None for anything else.

    White space, control characters, backslashes and user information are refused, because parsers
    disagree about them.
    """
    if not isinstance(url, str) or _UNSAFE_CHARACTERS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        return None
    return None if "@" in parts.netloc else parts


@lru_cache(maxsize=256)
def is_loopback_host(host: str) -> bool:
    """Tell whether a host name is this machine: ``localhost`` or a literal loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_secure(url: str) -> bool:
    """Tell whether secrets may be sent to a URL: https, or http on this machine."""
    parts = split_url(url)
    return parts is not None and (parts.scheme == "https" or is_loopback_host(parts.hostname or ""))


def secure_page(url: object) -> str | None:
    """Return the address of a page that a person may be sent to; None for anything else."""
    return url if isinstance(url, str) and _PAGE.fullmatch(url) and is_secure(url) else None


def reaches_into_loopback(issuer: str, endpoint: str) -> bool:
    """Tell whether an issuer elsewhere names an endpoint on this machine, which is never its own."""
    hosts = [parts.hostname or "" if (parts := split_url(url)) else "" for url in (issuer, endpoint)]
    return is_loopback_host(hosts[1]) and not is_loopback_host(hosts[0])


def is_plain_loopback(url: str) -> bool:
    """Tell whether a URL is http on this machine, which no proxy must see."""
    parts = split_url(url)
    return parts is not None and parts.scheme == "http" and is_loopback_host(parts.hostname or "")


def origin_of(url: str) -> str | None:
    """Return scheme, host and port of a URL in one comparable form; None if it has no http(s) origin."""
    parts = split_url(url)
    if parts is None:
        return None
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    suffix = "" if port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def without_user(url: str) -> str:
    """Return an address as people may see it: without the user name and the password before its host.

    Of an address that cannot be taken apart, all that may belong to them goes.
    """
    if "@" not in url or split_url(url) is not None:
        return url
    scheme, slashes, rest = url.partition("//")
    return f"{scheme if slashes else ''}{slashes}{(rest or url).rpartition('@')[2]}"


def insecure(code: str, name: str, url: str, where: str = "") -> ConfigurationError:
    """Return the error for an address that secrets must not be sent to.

    Args:
        code: ``address_insecure`` or ``endpoint_insecure``.
        name: What the address is.
        url: The address, of which a password is not shown.
        where: Where it was read.
    """
    shown = without_user(url) if isinstance(url, str) else url
    case = None if shown == url else "password"
    return ConfigurationError(code=code, subject=f"{name} {shown!r}{where}", case=case)


def require_secure_endpoint(url: str, name: str, source: str | None = None) -> str:
    """Return ``url`` if secrets may be sent to it.

    Raises:
        ConfigurationError: ``endpoint_insecure``, naming the endpoint and where it was read.
    """
    parts = split_url(url)
    if parts is None or not is_secure(url) or parts.fragment:
        where = f" in {source}" if source else ""
        raise insecure("endpoint_insecure", name, url, where)
    return url


def secure_origin(url: str, name: str) -> str:
    """Return the origin of a URL that secrets may be sent to.

    Raises:
        ConfigurationError: ``address_insecure``, calling the URL by ``name``.
    """
    origin = origin_of(url)
    if origin is None or not is_secure(url):
        raise insecure("address_insecure", name, url)
    return origin
