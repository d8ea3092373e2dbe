"""What a user of a notebook waits for, measured in JupyterLab: the button, the popup, the tokens."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from e2e import kernel_messages, popup
from e2e.browser import launch, local_context
from e2e.gesture import click_by_mouse
from e2e.jupyterlab import JupyterLab
from e2e.notebook import Notebook
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright
from servers.provider import LocalProvider

from .packages import Package, ours, peer

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 5
IMPORT_CELL, WIDGET_CELL, WATCH_CELL = range(3)

# Milliseconds from the Shift+Enter that reaches the page to a button that can be clicked.
READY_AFTER_SHIFT_ENTER = """
selector => {
  for (const old of document.querySelectorAll(selector)) old.dataset.old = '1';
  let pressed = null;
  addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.shiftKey) pressed ??= performance.now();
  }, { capture: true });
  window.__ready = new Promise(resolve => {
    const look = () => {
      if (pressed === null) return;
      const button = document.querySelector(`${selector}:not([data-old])`);
      if (!button || button.disabled || button.ariaDisabled === 'true') return;
      observer.disconnect();
      resolve(performance.now() - pressed);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true });
  });
}
"""


@dataclass
class Figures:
    """Medians over the runs of one package."""

    ready_ms: list[float] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    tokens_ms: list[float] = field(default_factory=list)

    @property
    def ready(self) -> float:
        """Shift+Enter to a button that can be clicked, in milliseconds."""
        return statistics.median(self.ready_ms)

    @property
    def tokens(self) -> float:
        """Callback landing to tokens in Python, in milliseconds."""
        return statistics.median(self.tokens_ms)


def measure(say: Callable[[str], None]) -> dict[str, Figures]:
    """Measure both packages; the figures by package name."""
    with tempfile.TemporaryDirectory(prefix="tokentoss-bench-") as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = launch(playwright)
        with LocalProvider(folder) as provider, JupyterLab(folder / "lab") as lab:
            figures: dict[str, Figures] = {}
            for package in (
                ours(provider, provider.confidential),
                peer(provider, provider.confidential, folder),
            ):
                lab.add_kernel(package.kernel, str(package.python), {"PYTHONPATH": ""})
                with local_context(browser) as context:
                    kernel_messages.record(context)
                    figures[package.name] = _measure_package(context, lab, package, say)
        browser.close()
    return figures


def _measure_package(
    context: BrowserContext, lab: JupyterLab, package: Package, say: Callable[[str], None]
) -> Figures:
    figures = Figures()
    path = lab.write_notebook(f"{package.kernel}.ipynb", list(package.cells), kernel=package.kernel)
    with Notebook(context, lab, path) as notebook:
        notebook.run_cell(IMPORT_CELL)
        for run in range(1 + RUNS):
            # A page of its own for each run: what a first widget leaves behind would speed up the next one.
            notebook.save()
            notebook.open()
            ready = _ready_after_shift_enter(notebook, package.button)
            notebook.run_cell(WATCH_CELL)
            tokens = _tokens_after_callback(notebook, package.button)
            messages = kernel_messages.between_click_and_popup(notebook.page)
            if run == 0:  # fills the browser's and the provider's caches
                continue
            figures.ready_ms.append(ready)
            figures.tokens_ms.append(tokens)
            figures.messages.append(messages)
            measured = f"ready {ready:.0f} ms, tokens {tokens:.0f} ms, {messages} messages"
            say(f"{package.name}, run {run} of {RUNS}: {measured}")
    return figures


def _ready_after_shift_enter(notebook: Notebook, button: str) -> float:
    page = notebook.page
    notebook.select_cell(WIDGET_CELL)
    page.evaluate(READY_AFTER_SHIFT_ENTER, button)
    page.keyboard.press("Shift+Enter")
    milliseconds: float = page.evaluate("() => window.__ready")
    return milliseconds


def _tokens_after_callback(notebook: Notebook, button: str) -> float:
    """Milliseconds from the request for the callback page to the moment Python had the tokens."""
    landed: list[Request] = []

    def note_callback(request: Request) -> None:
        if request.is_navigation_request() and "code=" in request.url and "state=" in request.url:
            landed.append(request)

    context = notebook.page.context
    context.on("request", note_callback)
    with context.expect_page() as opened:
        click_by_mouse(notebook.page, notebook.page.locator(button).first)
    window: Page = opened.value
    popup.sign_in(window, "ada@example.com")
    popup.wait_closed(window)
    context.remove_listener("request", note_callback)
    notebook.kernel.until("bool(tokens_at)")
    tokens_at: float = notebook.kernel.value("tokens_at[0]")
    (callback,) = landed
    return tokens_at * 1000 - callback.timing["startTime"]
