"""A web host with a JupyterLite site on it, and a notebook in a page of that site."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from e2e.notebook import KERNEL, READY, CellError, Notebook
from servers.stoppable import Stoppable
from tokentoss.callback.static_page import static_page, static_page_headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import BrowserContext

CALLBACK = "/tokentoss/callback"

OPEN = """async ([name, cells]) => {
    const { commands, restored, serviceManager } = window.jupyterapp;
    await Promise.all([restored, serviceManager.ready]);
    const content = {
        cells: cells.map((source, index) => ({
            cell_type: "code", id: `cell-${index}`, source, metadata: {}, outputs: [], execution_count: null,
        })),
        metadata: { kernelspec: { name: "python", display_name: "Python (Pyodide)", language: "python" } },
        nbformat: 4,
        nbformat_minor: 5,
    };
    await serviceManager.contents.save(name, { type: "notebook", format: "json", content });
    const kernel = { name: "python" };
    await commands.execute("docmanager:open", { path: name, factory: "Notebook", kernel });
}"""

RUN = """() => window.jupyterapp.commands.execute("notebook:run-cell")"""
# Starting Pyodide and its packages is most of a test's work, and slow on a busy machine.
PATIENCE_MS = 180_000
# There is no server that would end a kernel: without a limit, one that hangs would hang the test.
LIMITED = """([script, argument, patience]) => Promise.race([
    eval(script)(argument),
    new Promise((_, fail) => setTimeout(() => fail(new Error("nothing came of it in time")), patience)),
])"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A page starts with more connections at once than the five that may wait otherwise.
    request_queue_size = 128


class JupyterLite(Stoppable):
    """Serves the site on loopback, with its callback page."""

    def __init__(self, site: Path) -> None:
        host = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            extensions_map: ClassVar[dict[str, str]] = {
                **SimpleHTTPRequestHandler.extensions_map,
                ".mjs": "text/javascript",
                ".wasm": "application/wasm",
            }

            def do_GET(self) -> None:
                if urlsplit(self.path).path == CALLBACK:
                    host.send_callback_page(self)
                else:
                    super().do_GET()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), functools.partial(Handler, directory=site))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.origin = f"http://localhost:{self._server.server_port}"
        """What the browser has in its address line; another one behind a proxy."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def callback_page(self) -> str:
        """Address of the site's callback page."""
        return f"{self.origin}{CALLBACK}"

    def stop(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def send_callback_page(self, request: SimpleHTTPRequestHandler) -> None:
        """Send what `python -m tokentoss callback-page --origin …` writes, with the headers that it names."""
        body = static_page([self.origin]).encode()
        request.send_response(200)
        for name, value in static_page_headers().items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class LiteNotebook(Notebook):
    """Makes a notebook in the browser's storage, opens it, and waits until its kernel is idle."""

    def __init__(self, context: BrowserContext, lite: JupyterLite, cells: Sequence[str]) -> None:
        self._lite = lite
        self._cells = cells
        self.page = context.new_page()
        self.open()

    def open(self) -> None:
        """Load the site and open the notebook."""
        self.page.goto(f"{self._lite.origin}/lab/index.html", wait_until="domcontentloaded")
        self.page.wait_for_function("() => window.jupyterapp", timeout=PATIENCE_MS)
        self._evaluate(OPEN, ["sign-in.ipynb", list(self._cells)])
        idle = f"status => {{ {KERNEL} return {READY}; }}"
        self.page.wait_for_function(idle, arg="idle", timeout=PATIENCE_MS)

    def run_cell(self, index: int) -> None:
        """Run one cell to its end; fails if the cell raised, or does not end."""
        self.select_cell(index)
        self._evaluate(RUN)
        errors = [output for output in self._outputs(index) if output["output_type"] == "error"]
        if errors:
            message = f"cell {index} raised {errors[0]['ename']}: {errors[0]['evalue']}"
            raise CellError(message)

    def stop(self) -> None:
        """The kernel ends with the page, and the page with its browser context."""

    def _evaluate(self, script: str, argument: Any = None) -> None:
        self.page.evaluate(LIMITED, [script, argument, PATIENCE_MS])
