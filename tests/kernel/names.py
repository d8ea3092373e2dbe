"""Host names that lead to servers of this machine, for as long as a test lasts."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class Names:
    """Resolves names in this process; whatever is neither known nor loopback does not exist."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ports: dict[str, int | None] = {}
        self._resolve = socket.getaddrinfo
        self.unknown: list[str] = []
        patch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def add(self, name: str, port: int | None = None) -> None:
        """Let a name lead to 127.0.0.1, and all its ports to one if one is given."""
        self._ports[name] = port

    def _getaddrinfo(self, host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name in self._ports:
            target = self._ports[name]
            return self._resolve("127.0.0.1", port if target is None else target, *arguments, **named)
        if name != "localhost" and not _is_loopback(name):
            self.unknown.append(name)
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not on this machine")
        return self._resolve(host, port, *arguments, **named)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
