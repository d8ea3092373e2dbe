"""A notebook open in a JupyterLab page."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as PageTimeoutError
from servers.stoppable import Stoppable

from .kernel import KernelClient
from .waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from .jupyterlab import JupyterLab

PATIENCE_MS = PATIENCE_SECONDS * 1000

# `panel` is the page's notebook; undefined while JupyterLab is still loading.
PANEL = "const panel = [...(window.jupyterapp?.shell?.widgets('main') ?? [])].find(({ context }) => context);"
KERNEL = f"{PANEL} const kernel = panel?.sessionContext?.session?.kernel;"
READY = "panel?.context?.isReady && kernel?.connectionStatus === 'connected' && kernel.status === status"
# What a kernel says of itself while it starts can get lost on its way to the page, which then waits for ever.
ASK_AGAIN = """
    window.askedAt ??= Date.now();
    if (kernel?.connectionStatus === 'connected' && Date.now() - window.askedAt > 5000) {
        window.askedAt = Date.now();
        void kernel.requestKernelInfo().catch(() => {});
    }"""

# So can all that it says of its first cells: the page has to hear it once. What runs for that shows nothing.
HEARD = """
    const { id } = kernel;
    const isAsked = window.listeningTo === id && Date.now() - window.listeningSince < 2000;
    if (window.heardFrom !== id && !isAsked) {
        Object.assign(window, { listeningTo: id, listeningSince: Date.now() });
        const silent = kernel.requestExecute({ code: '', silent: true, store_history: false });
        silent.done.then(() => { window.heardFrom = id; }, () => {});
    }
    return window.heardFrom === id;"""


class CellError(AssertionError):
    """A cell that should have run to its end raised."""


class Notebook(Stoppable):
    """Opens a notebook file and waits until its kernel is idle.

    That is in a page of its own, or in `page`, where JupyterLab is loaded and no other notebook is open.
    """

    def __init__(
        self, context: BrowserContext, lab: JupyterLab, path: Path, *, page: Page | None = None
    ) -> None:
        self.lab = lab
        self.path = path
        self.page: Page = page or context.new_page()
        self._url = lab.url(path.name, workspace=uuid.uuid4().hex)
        self._client: KernelClient | None = None
        try:
            if page is None:
                self.open()
            else:
                self._open_document()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the kernel; the page goes with its browser context."""
        if self._client is not None:
            self._client.stop()
        self.lab.shut_down(self.path.name)

    def open(self) -> None:
        """Load the page, or load it again, and wait for its kernel."""
        self.page.goto(self._url, wait_until="domcontentloaded")
        self.wait_kernel("idle")

    def reload(self) -> None:
        """Load the page again, once more where the page has shown outputs without their widgets.

        Its widget manager asks the kernel for them for four seconds, which a busy machine may need for more.
        """
        for _ in range(3):
            self.open()
            lost = self.page.get_by_text("Error displaying widget: model not found")
            shown = self.page.locator(".tokentoss")
            shown.or_(lost).first.wait_for()
            if shown.count():
                return
        message = "JupyterLab found no models of its widgets, three times"
        raise AssertionError(message)

    def _open_document(self) -> None:
        self.page.bring_to_front()
        self.page.evaluate(
            """path => {
                window.askedAt = Date.now();
                void window.jupyterapp.commands.execute('docmanager:open', { path });
            }""",
            self.path.name,
        )
        self.wait_kernel("idle")

    def wait_kernel(self, status: str) -> None:
        """Wait until the page sees its kernel in a status ('idle', 'busy', ...)."""
        ask = ASK_AGAIN if status == "idle" else ""
        try:
            self.page.wait_for_function(
                f"status => {{ {KERNEL} {ask} return {READY}; }}", arg=status, timeout=PATIENCE_MS
            )
        except PageTimeoutError:
            state = self.page.evaluate(
                f"() => {{ {KERNEL} return [panel?.context?.isReady, kernel?.model]; }}"
            )
            message = f"no {status} kernel in the page: {state}; at the server: {self.lab.kernels()}"
            raise TimeoutError(message) from None

    @property
    def kernel(self) -> KernelClient:
        """A second client of this notebook's kernel."""
        if self._client is None:
            kernel_id = until(lambda: self.lab.kernel_of(self.path.name), "the notebook's kernel")
            self._client = KernelClient(self.lab, kernel_id)
        return self._client

    def restart_kernel(self) -> None:
        """Restart the kernel the way the menu does, without its question."""
        self.page.evaluate(f"() => {{ {KERNEL} return kernel.restart(); }}")
        self.wait_kernel("idle")

    def interrupt(self) -> None:
        """Interrupt the kernel, as the button of the toolbar does."""
        self.page.evaluate(f"() => {{ {KERNEL} return kernel.interrupt(); }}")

    def select_cell(self, index: int) -> None:
        """Make a cell the active one, with the keyboard in the notebook."""
        self.page.evaluate(
            f"""index => {{
                {PANEL}
                panel.content.activeCellIndex = index;
                panel.content.deselectAll();
                panel.content.mode = 'command';
                panel.activate();
            }}""",
            index,
        )

        # What a command acts on follows the activation, and may still be the notebook before.
        self.page.wait_for_function(
            f"() => {{ {PANEL} return panel && window.jupyterapp.shell.currentWidget === panel; }}",
            timeout=PATIENCE_MS,
        )

    def run_all(self) -> None:
        """Start to run every cell, and wait until the first one runs or has run."""
        self.select_cell(0)
        self.page.wait_for_function(f"() => {{ {KERNEL} {HEARD} }}", timeout=PATIENCE_MS)
        self.page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        self.page.wait_for_function(
            f"""() => {{
                {KERNEL}
                const count = panel.content.model.cells.get(0).executionCount;
                return kernel.status === 'busy' || count !== null;
            }}""",
            timeout=PATIENCE_MS,
        )

    def start_cell(self, index: int) -> None:
        """Start to run one cell."""
        self.select_cell(index)
        self.page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-cell'); }")

    def run_cell(self, index: int) -> None:
        """Run one cell to its end; fails if the cell raised.

        What a new kernel says can get lost on its way to the page, which then waits for ever for the end of a
        cell while the server sees the kernel idle. Such a cell is run once more.
        """
        if not self._has_ended(index) and not self._has_ended(index):
            message = f"cell {index} does not end: {self.state()}; at the server: {self.lab.kernels()}"
            raise AssertionError(message)
        for output in self._outputs(index):
            if output["output_type"] == "error":
                message = f"cell {index} raised {output['ename']}: {output['evalue']}"
                raise CellError(message)

    def _has_ended(self, index: int) -> bool:
        """Run one cell; tell whether the page saw its end before the server saw an idle kernel for long."""
        self.select_cell(index)
        run = uuid.uuid4().hex
        self.page.evaluate(
            """run => {
                const ended = () => { (window.endedRuns ??= []).push(run); };
                void window.jupyterapp.commands.execute('notebook:run-cell').then(ended, ended);
            }""",
            run,
        )
        is_busy = True
        while is_busy:
            try:
                self.page.wait_for_function(
                    "run => window.endedRuns?.includes(run)", arg=run, timeout=PATIENCE_MS
                )
            except PageTimeoutError:
                kernel_id = self.lab.kernel_of(self.path.name)
                states = {kernel["id"]: kernel["execution_state"] for kernel in self.lab.kernels()}
                is_busy = states.get(kernel_id) == "busy"
            else:
                return True
        return False

    def output(self, index: int) -> str:
        """Text a cell has put out so far: streams, results and errors."""
        parts: list[str] = []
        for output in self._outputs(index):
            if output["output_type"] == "stream":
                parts.append("".join(output["text"]))
            elif output["output_type"] == "error":
                parts.append(f"{output['ename']}: {output['evalue']}")
            else:
                parts.append("".join(output["data"].get("text/plain", "")))
        return "".join(parts)

    def state(self) -> str:
        """What the page knows of kernel and cells, for the report of a failure; outputs are cut off."""
        state = self.page.evaluate(
            f"""() => {{
                {KERNEL}
                const cells = [...(panel?.content?.widgets ?? [])].map(({{ model, node }}) => ({{
                    count: model.executionCount,
                    prompt: node.querySelector('.jp-InputPrompt')?.textContent,
                    outputs: JSON.stringify(model.sharedModel.outputs ?? null).slice(0, 400),
                    shown: node.querySelector('.jp-OutputArea')?.innerText.slice(0, 200),
                }}));
                const {{ currentWidget }} = window.jupyterapp?.shell ?? {{}};
                return {{
                    status: kernel?.status,
                    connection: kernel?.connectionStatus,
                    current: currentWidget?.title?.label,
                    dialogs: [...document.querySelectorAll('.jp-Dialog')].map(({{ innerText }}) => innerText),
                    cells,
                }};
            }}"""
        )
        return json.dumps(state, indent=1)

    def save(self) -> None:
        """Save and wait until the file is written."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function(f"() => {{ {PANEL} return panel.context.model.dirty === false; }}")

    def set_theme(self, name: str) -> None:
        """Switch JupyterLab's theme ('JupyterLab Light' or 'JupyterLab Dark') in this page."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name
        )
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=name)
        # A splash covers the page while the theme's style sheets load.
        self.page.wait_for_function("() => !document.getElementById('jupyterlab-splash')")

    def _outputs(self, index: int) -> list[dict[str, Any]]:
        outputs: list[dict[str, Any]] = self.page.evaluate(
            f"""index => {{
                {PANEL}
                return JSON.parse(JSON.stringify(panel.content.model.cells.get(index).sharedModel.outputs));
            }}""",
            index,
        )
        return outputs
