"""Brings a sign-in to one of its steps and keeps it there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import popup
from .waiting import until
from .widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from servers.provider import LocalProvider

    from .notebook import Notebook

ADA = "ada@example.com"
STEPS = ("waiting", "signing in", "handing over")
SAID = {
    "waiting": "Waiting for you in the popup",
    "signing in": "Signing in…",
    "handing over": "Passing it on to Python",
}
RUNNING = "running\n"
# JupyterLab and ipykernel may read a comm beside a cell that runs: the widget takes nothing there, either.
UNTIL_INTERRUPTED = f"""import time
with widget._lock:
    print({RUNNING.strip()!r})
    while True:
        time.sleep(0.02)
"""
# The listener takes no tokens then: what is left is the trait, which a busy kernel does not read.
KEEP_FROM_DELIVERING = "**/tokentoss/deliver"


def start_busy_cell(notebook: Notebook, index: int) -> None:
    """Start a cell with `UNTIL_INTERRUPTED` and wait until it runs: any message makes a kernel busy, too."""
    notebook.start_cell(index)
    # What an earlier run left ends in its interrupt.
    until(lambda: notebook.output(index) == RUNNING, "the cell that keeps the kernel busy")


@contextmanager
def at_step(step: str, notebook: Notebook, provider: LocalProvider, busy_cell: int) -> Iterator[Page]:
    """Start a sign-in in the page's first view and yield its popup once the widget says the step.

    `busy_cell`, with `UNTIL_INTERRUPTED`, is run for the last step: nobody reads the tokens while it runs.
    """
    context = notebook.page.context
    widget = Widget(notebook.page)
    widget.wait_ready()
    if step == "handing over":
        context.route(KEEP_FROM_DELIVERING, lambda route: route.abort())
        start_busy_cell(notebook, busy_cell)
    provider.forget_requests()
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    if step == "signing in":
        # Unanswered, the page's question whether it can read answers would leave the exchange to the kernel.
        until(lambda: provider.requests("/token"), "the page's question to the token endpoint")
        provider.change(token_hold=True)
    if step != "waiting":
        popup.sign_in(window, ADA)
    widget.wait_status(SAID[step])
    try:
        yield window
    finally:
        provider.change(token_hold=False)
        context.unroute(KEEP_FROM_DELIVERING)
