"""A Voila server: the outputs of one notebook, without its code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import nbformat
import requests
from e2e.isolation import KERNELS_BY_SOCKET, isolated_environment
from e2e.waiting import until
from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TIMEOUT = 60
# Voila's own page links an icon font from there; the tests' resolver leads the name nowhere.
FONTS = "cdn.jsdelivr.net"


class Voila(Stoppable):
    """Serves the cells as one page, each visitor with a kernel of their own; `policy` is the page's CSP."""

    def __init__(self, folder: Path, cells: Sequence[str], *, policy: str | None = None) -> None:
        notebook = folder / "sign-in.ipynb"
        nbformat.write(
            nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(source) for source in cells],
                metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
            ),
            notebook,
        )
        self.origin = f"http://localhost:{(port := free_port())}"
        options = ["--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}", KERNELS_BY_SOCKET]
        if policy:
            headers = {"Content-Security-Policy": policy}
            options.append(f"--Voila.tornado_settings={{'headers': {headers!r}}}")
        self._process = ServerProcess(
            [sys.executable, "-m", "voila", str(notebook), *options],
            log=folder / "voila.log",
            is_ready=lambda line: "is running at" in line,
            env=isolated_environment(folder),
            cwd=folder,
        )
        self._process.wait_ready()
        until(self._listens, "Voila to answer")

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.stop()

    def _listens(self) -> bool:
        try:
            requests.get(f"{self.origin}/voila/static/none", timeout=TIMEOUT)
        except requests.ConnectionError:
            return False
        return True
