"""The broker's program, with a configuration of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "tokentoss-broker"


class Broker(Stoppable):
    """Runs the built program; `origin` is where callers connect."""

    def __init__(self, folder: Path, settings: str, *, port: int = 0) -> None:
        self._configuration = folder / "broker.toml"
        self._configuration.write_text(
            f'listen = "127.0.0.1:{port}"\nadmin_listen = "127.0.0.1:0"\n'
            f'database = "sqlite:{folder}/broker.sqlite"\nkey_ring = "{folder}/keys.toml"\n{settings}'
        )
        self.run(["init"])
        self._process = ServerProcess(
            [str(PROGRAM), "--config", str(self._configuration), "serve"],
            log=folder / "broker.log",
            is_ready=lambda line: line.startswith("callers http://"),
        )
        self.origin = self._process.wait_ready().split()[1]

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run another command beside it."""
        command = [str(PROGRAM), "--config", str(self._configuration), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    @property
    def log(self) -> str:
        """What it printed."""
        return self._process.log.read_text()

    def stop(self) -> None:
        """End the broker."""
        self._process.stop()
