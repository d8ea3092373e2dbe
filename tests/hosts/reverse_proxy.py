"""A reverse proxy in front of a server, as sites put one: the proxy that JupyterHub brings along."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = Path(__file__).resolve().parents[2] / "node_modules"
COMMAND = ("node", str(MODULES / "configurable-http-proxy" / "bin" / "configurable-http-proxy"))


class ReverseProxy(Stoppable):
    """Passes requests and websockets on to the server at `target`."""

    def __init__(self, folder: Path, target: str, *, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        arguments = (
            *("--ip=127.0.0.1", f"--port={self.port}"),
            *("--api-ip=127.0.0.1", f"--api-port={free_port()}"),
            *(f"--default-target={target}", *options),
        )
        self._process = ServerProcess(
            [*COMMAND, *arguments],
            log=folder / "proxy.log",
            is_ready=lambda line: "Proxy API at" in line,
            env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)},
        )
        self._process.wait_ready()

    @property
    def origin(self) -> str:
        """What a browser has in its address line."""
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        """End the proxy."""
        self._process.stop()
