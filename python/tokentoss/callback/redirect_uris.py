"""The addresses to which a provider may send the popup: loopback, and callback pages."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokentoss.config.google_services import service_behind
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.pyodide import in_browser
from tokentoss.util.urls import is_loopback_host, is_secure, split_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokentoss.config.client_config import ClientConfig

REDIRECT_URI_VARIABLE = "TOKENTOSS_REDIRECT_URI"
"""Environment variable that names one or several callback pages, separated by spaces or commas."""

PAGE_PATH = "/tokentoss/callback"
"""How the path of a callback page ends where tokentoss serves it."""

_DYNAMIC_PORTS = range(49152, 65536)  # RFC 6335 section 6
_LOOPBACK_HOSTS = {"127.0.0.1", "localhost"}
_MAX_PORT = 65535


@dataclass(frozen=True)
class Loopback:
    """A loopback redirect URI; port 0 stands for any free one."""

    host: str
    port: int
    path: str


@dataclass(frozen=True)
class CallbackAddresses:
    """What is registered for a client, as far as a sign-in here can use it.

    Args:
        loopbacks: Loopback addresses to listen on, the first free one counts; none for a web client
            that is registered without any.
        pages: Callback pages.
    """

    loopbacks: tuple[Loopback, ...]
    pages: tuple[str, ...]

    @classmethod
    def of(
        cls,
        config: ClientConfig,
        default_path: str,
        *,
        redirect_ports: Sequence[int] | None = None,
        redirect_uri: str | Sequence[str] | None = None,
    ) -> CallbackAddresses:
        """Return the addresses of a client.

        Args:
            config: The client.
            default_path: The loopback path of a client that may use any.
            redirect_ports: Fixed loopback ports, in order of preference.
            redirect_uri: Callback pages; by default those of ``TOKENTOSS_REDIRECT_URI``, or else those
                among the registered addresses of a web client.

        Raises:
            ConfigurationError: ``redirect_uri_invalid``, ``redirect_port_invalid``, or
                ``client_secrets_redirect_missing`` for a web client with no address that can be used.
        """
        ports = _checked_ports(redirect_ports)
        loopbacks = _loopbacks(config, ports, default_path)
        pages = _pages(config, redirect_uri)
        if not loopbacks and not pages:
            raise ConfigurationError(
                code="client_secrets_redirect_missing", subject=str(config.source or config.client_id)
            )
        return cls(loopbacks, pages)

    def unheard(self) -> str | None:
        """Return a loopback address that nobody listens on, if a kernel that cannot has nothing else.

        The provider's answer then stands in the address bar of a page that cannot load, from where the
        user takes it to the notebook.
        """
        if self.pages or not self.loopbacks:
            return None
        first = self.loopbacks[0]
        port = first.port or secrets.choice(_DYNAMIC_PORTS)
        return f"http://{first.host}:{port}{first.path}"


def can_listen() -> bool:
    """Tell whether this Python can listen at all; in a browser (Pyodide) it cannot."""
    return not in_browser()


def _loopbacks(config: ClientConfig, ports: tuple[int, ...], default_path: str) -> tuple[Loopback, ...]:
    if config.client_type != "web":
        return tuple(Loopback("127.0.0.1", port, default_path) for port in ports or (0,))
    registered: list[Loopback] = []
    for uri in config.redirect_uris or []:
        parts = split_url(uri)
        if (
            parts is not None
            and parts.scheme == "http"
            and parts.hostname in _LOOPBACK_HOSTS
            and parts.port
            and not parts.query
            and not parts.fragment
            and not parts.path.startswith("/tokentoss/")
            and not parts.path.endswith(PAGE_PATH)
        ):
            registered.append(Loopback(parts.hostname, parts.port, parts.path))
    if not ports:
        return tuple(registered)
    return tuple(one for port in ports for one in registered if one.port == port)


def _pages(config: ClientConfig, redirect_uri: str | Sequence[str] | None) -> tuple[str, ...]:
    if redirect_uri is None:
        redirect_uri = re.split(r"[\s,]+", os.environ.get(REDIRECT_URI_VARIABLE, "").strip())
    given = [redirect_uri] if isinstance(redirect_uri, str) else redirect_uri
    pages = tuple(dict.fromkeys(_checked_page(one.strip()) for one in given if one.strip()))
    if pages or config.client_type != "web":
        return pages
    registered = [uri for uri in config.redirect_uris or [] if _may_be_page(uri)]
    # Those that tokentoss serves come first: another one may belong to another program.
    return tuple(sorted(dict.fromkeys(registered), key=lambda uri: not uri.endswith(PAGE_PATH)))


def _may_be_page(uri: str) -> bool:
    parts = split_url(uri)
    if parts is None or parts.query or parts.fragment or not is_secure(uri) or service_behind(uri):
        return False
    return parts.path.endswith(PAGE_PATH) or not is_loopback_host(parts.hostname or "")


def _checked_page(uri: str) -> str:
    parts = split_url(uri)
    if parts is None or parts.query or parts.fragment or "#" in uri or "?" in uri or not parts.path:
        raise ConfigurationError(code="redirect_uri_invalid", subject=repr(uri))
    return uri


def _checked_ports(ports: Sequence[int] | None) -> tuple[int, ...]:
    for port in ports or ():
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= _MAX_PORT:
            raise ConfigurationError(code="redirect_port_invalid", subject=repr(port))
    return tuple(dict.fromkeys(ports or ()))
