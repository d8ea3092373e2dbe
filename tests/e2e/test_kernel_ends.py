"""The kernel is interrupted, restarted or killed at each step of a sign-in."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import expect
from tokentoss import error_codes

from e2e import cells, popup
from e2e.steps import ADA, STEPS, UNTIL_INTERRUPTED, at_step, start_busy_cell
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page

RUN_AGAIN = error_codes.sentence("kernel_gone")
PID_FILE = "kernel.pid"
NOTE_PID = f"import os\nopen({PID_FILE!r}, 'w').write(str(os.getpid()))"


@pytest.fixture
def notebook(open_notebook, provider):
    notebook = open_notebook(f"{cells.show_widget(provider, provider.public)}\n{NOTE_PID}", UNTIL_INTERRUPTED)
    notebook.run_cell(0)
    return notebook


def restart(notebook):
    """By the menu."""
    notebook.restart_kernel()


def kill(notebook):
    """As the system does when memory runs out; the server then starts the kernel anew."""
    os.kill(int((notebook.lab.root / PID_FILE).read_text()), signal.SIGKILL)
    # JupyterLab says so in a dialog, and starts no cell before it is answered.
    notebook.page.get_by_role("button", name="Ok", exact=True).click()
    notebook.wait_kernel("idle")


def test_an_interrupt_ends_no_sign_in(notebook, provider):
    """An interrupt ends the running cell, while the sign-in goes on and finishes (C25)."""
    widget = Widget(notebook.page)
    for step in STEPS:
        if step != STEPS[0]:
            widget.click(widget.sign_out_button)
        with at_step(step, notebook, provider, busy_cell=1) as window:
            if step != STEPS[-1]:
                # An idle kernel would be interrupted later: in the cell of the next step.
                start_busy_cell(notebook, 1)
            notebook.interrupt()
            notebook.wait_kernel("idle")
            if step == "waiting":
                popup.sign_in(window, ADA)
        widget.wait_status(f"Signed in as {ADA}")
        assert len(provider.exchanges()) == 1


@pytest.mark.parametrize("end", [restart, kill])
def test_a_kernel_that_is_gone_ends_the_sign_in(notebook, provider, end):
    """A sign-in whose kernel is gone ends at each step; a new run of the cell works."""
    for step in STEPS:
        with at_step(step, notebook, provider, busy_cell=1) as window:
            end(notebook)
            widget = Widget(notebook.page)
            widget.wait_status(RUN_AGAIN)
            expect(widget.sign_in_button).to_be_disabled(timeout=PATIENCE_MS)
            expect(widget.cancel_button).to_be_hidden(timeout=PATIENCE_MS)
            popup.wait_closed(window)
        notebook.run_cell(0)
    Widget(notebook.page).sign_in(ADA)
