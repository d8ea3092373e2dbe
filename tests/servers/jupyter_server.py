"""A plain Jupyter server with the extension of this package, enabled as an installed wheel enables it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path

import requests

from .ports import free_port
from .process import READY_SECONDS, ServerProcess
from .stoppable import Stoppable

CONFIGURATION = Path(__file__).parents[2] / "python" / "jupyter_server_config.d" / "tokentoss.json"
ADDRESS = r"ServerApp\] (http://127\.0\.0\.1:\d+)"


class JupyterServer(Stoppable):
    """Runs on loopback below a base URL, and asks for a token."""

    def __init__(self, work_dir: Path, base_url: str = "/") -> None:
        self.token = secrets.token_urlsafe(24)
        enabled = work_dir / "config" / "jupyter_server_config.d"
        enabled.mkdir(parents=True)
        shutil.copy(CONFIGURATION, enabled)
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={free_port()}"]
        command += [f"--ServerApp.base_url={base_url}", f"--ServerApp.root_dir={work_dir}", "--debug"]
        self._process = ServerProcess(
            command,
            log=work_dir / "server.log",
            is_ready=lambda line: re.search(ADDRESS, line) is not None,
            env={
                **os.environ,
                "HOME": str(work_dir),
                "JUPYTER_CONFIG_DIR": str(work_dir / "config"),
                "JUPYTER_DATA_DIR": str(work_dir / "data"),
                "JUPYTER_RUNTIME_DIR": str(work_dir / "runtime"),
                "JUPYTER_TOKEN": self.token,
            },
            cwd=work_dir,
        )
        found = re.search(ADDRESS, self._process.wait_ready())
        assert found is not None
        self.origin = found[1]
        # The line of the log comes a moment before the port is open.
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers() and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def log(self) -> str:
        """What it printed."""
        return self._process.log.read_text()

    def _answers(self) -> bool:
        try:
            requests.get(f"{self.origin}/api", timeout=READY_SECONDS)
        except requests.ConnectionError:
            return False
        return True

    def stop(self) -> None:
        """End it."""
        self._process.stop()
