"""Whose certificates are trusted: the operating system's, or those that a variable names."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from tokentoss.util.failures import ConnectError

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name a file or a folder, the first that is set counts: requests' and curl's."""

FILE_VARIABLE, FOLDER_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""OpenSSL's own variables, which count together."""


Key = tuple[tuple[str, str, int], ...]
"""What a context trusts: variables, their paths, and when those changed."""

_free: dict[Key, list[ssl.SSLContext]] = {}


def trusted_by_variables() -> list[tuple[str, str]]:
    """Return the variables that say which certificates are trusted, with the path of each; none is usual."""
    for name in BUNDLE_VARIABLES:
        if os.environ.get(name):
            return [(name, os.environ[name])]
    named = [(name, os.environ.get(name, "")) for name in (FILE_VARIABLE, FOLDER_VARIABLE)]
    return [(name, path) for name, path in named if path]


def shown_source(verify: str | None = None) -> str:
    """Return whose certificates are trusted, for a sentence.

    Args:
        verify: The path that a caller gave for one call.
    """
    if verify is not None:
        return f"verify={verify}"
    named = trusted_by_variables()
    return ", ".join(f"{name}={path}" for name, path in named) or "the operating system's certificates"


def borrow_context(verify: str | None = None) -> tuple[Key, ssl.SSLContext]:
    """Return what checks the certificates of servers and of https proxies, for one user at a time.

    A path that a caller or a variable names takes the place of the operating system's certificates, as it
    does in requests, curl and OpenSSL. Reading them takes a tenth of a second, so contexts are used again;
    truststore lets only one handshake at a time use a context, so they are not shared.

    Args:
        verify: The path that a caller gave for one call.

    Returns:
        The context, and what :func:`give_back` takes with it.

    Raises:
        ConnectError: ``certificates_unreadable``, with the variable and its path.
    """
    named = [("verify", verify)] if verify is not None else trusted_by_variables()
    key = tuple((name, path, _changed_at(path)) for name, path in named)
    try:
        return key, _free[key].pop()
    except (KeyError, IndexError):
        pass
    if not named:
        return key, _of_operating_system()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in named:
        _load(context, name, path)
    return key, context


def give_back(key: Key, context: ssl.SSLContext) -> None:
    """Let others use a context that was borrowed."""
    _free.setdefault(key, []).append(context)


def _changed_at(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    # OpenSSL takes several folders, of which some may be missing.
    parts = path.split(os.pathsep) if name == FOLDER_VARIABLE else [path]
    found = [part for part in parts if part and Path(part).exists()]
    try:
        if not found:
            raise FileNotFoundError(path)
        for part in found:
            if Path(part).is_dir():
                context.load_verify_locations(capath=part)
            else:
                context.load_verify_locations(cafile=part)
    except (OSError, ValueError):
        raise ConnectError("certificates_unreadable", f"{name}={path}") from None


def _of_operating_system() -> ssl.SSLContext:
    import certifi  # noqa: PLC0415 - only where something is called
    import truststore  # noqa: PLC0415

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A container may have no certificates at all. pip trusts these beside the system's as well.
    context.load_verify_locations(cafile=certifi.where())
    return context
