"""A marimo server, which runs or edits one notebook: a Python file whose cells react to each other."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import requests
from e2e.cells import call_api
from e2e.isolation import isolated_environment
from e2e.waiting import until
from servers.ports import free_port
from servers.process import ServerProcess
from servers.stoppable import Stoppable

if TYPE_CHECKING:
    from pathlib import Path

    from servers.iap_api import IapLikeApi

TIMEOUT = 60

NOTEBOOK = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

{make}
    shown = mo.ui.anywidget(widget)
    shown
    return (IAPClient, mo, shown)


@app.cell
def _(IAPClient, mo, shown):
    mo.stop(not shown.value["is_authenticated"], mo.md("No answer yet."))
    mo.md(f"The API knows {{{call}['email']}}.")
    return


if __name__ == "__main__":
    app.run()
"""


class Marimo(Stoppable):
    """Serves the notebook that `make_widget` is the source of; `command` is "run" or "edit".

    `notebook` is what stands around that source.
    """

    def __init__(
        self, folder: Path, command: str, make_widget: str, api: IapLikeApi, *, notebook: str = NOTEBOOK
    ) -> None:
        self.notebook = folder / "sign_in.py"
        make = textwrap.indent(make_widget, "    ")
        self.notebook.write_text(notebook.format(make=make, call=call_api(api)))
        # The editor then runs the cells as it opens, as the application does.
        (folder / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")
        self.origin = f"http://localhost:{(port := free_port())}"
        options = ("--headless", "--host=127.0.0.1", f"--port={port}", "--no-token")
        edit = ("--skip-update-check",) if command == "edit" else ()
        self._process = ServerProcess(
            [sys.executable, "-m", "marimo", "--yes", command, *options, *edit, str(self.notebook)],
            log=folder / "marimo.log",
            is_ready=lambda line: str(port) in line,
            env=isolated_environment(folder),
            cwd=folder,
        )
        self._process.wait_ready()
        until(self._answers, "marimo to answer")

    def stop(self) -> None:
        """End the server and its kernel."""
        self._process.stop()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.origin}/health", timeout=TIMEOUT).ok
        except requests.ConnectionError:
            return False
