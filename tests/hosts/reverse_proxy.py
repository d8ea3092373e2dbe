"""A reverse proxy in front of a server, as sites put one: the proxy that JupyterHub brings along."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from e2e.waiting import until
from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODULES = Path(__file__).resolve().parents[2] / "node_modules"
COMMAND = ("node", str(MODULES / "configurable-http-proxy" / "bin" / "configurable-http-proxy"))


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True


class ReverseProxy(Stoppable):
    """Passes requests and websockets on to the server at `target`, or of a path to that of `routes`."""

    def __init__(
        self,
        folder: Path,
        target: str,
        *,
        options: Sequence[str] = (),
        routes: Mapping[str, str] | None = None,
    ) -> None:
        self.port, api_port, token = free_port(), free_port(), secrets.token_hex(16)
        arguments = (
            *("--ip=127.0.0.1", f"--port={self.port}"),
            *("--api-ip=127.0.0.1", f"--api-port={api_port}"),
            *(f"--default-target={target}", *options),
        )
        self._process = ServerProcess(
            [*COMMAND, *arguments],
            log=folder / "proxy.log",
            is_ready=lambda line: "Proxy API at" in line,
            env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": token},
        )
        self._process.wait_ready()
        # It prints its line before it listens.
        for port in (self.port, api_port):
            until(lambda port=port: _is_listening(port), f"the proxy at port {port}")
        for path, other in (routes or {}).items():
            added = requests.post(
                f"http://127.0.0.1:{api_port}/api/routes{path}",
                json={"target": other},
                headers={"Authorization": f"token {token}"},
                timeout=30,
            )
            added.raise_for_status()

    @property
    def origin(self) -> str:
        """What a browser has in its address line."""
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        """End the proxy."""
        self._process.stop()
