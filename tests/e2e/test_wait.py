"""`display(w); w.wait()` in one cell, the next cell behind it, under "Run All"."""

from __future__ import annotations

import re

import pytest

from e2e import cells, popup
from e2e.kernel_versions import VERSIONS, kernel_name
from e2e.notebook import Notebook
from e2e.waiting import until
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"


def sign_in(notebook: Notebook) -> Widget:
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    return widget


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("call", ["widget.wait(timeout=120)", "await widget.signed_in(timeout=120)"])
def test_run_all_waits_for_the_user(open_notebook, provider, iap_api, version, call):
    """A cell that waits returns after the sign-in, in each version of ipykernel (C25)."""
    notebook = open_notebook(
        f"{cells.show_widget(provider, provider.confidential)}\naccount = {call}\nprint(account.email)",
        cells.call_api(iap_api),
        kernel=kernel_name(version),
    )
    notebook.run_all()
    widget = sign_in(notebook)
    widget.wait_status(f"Signed in as {ADA}")
    notebook.wait_kernel("idle")
    notebook.kernel.until("'account' in globals()")
    assert notebook.output(0).endswith(f"{ADA}\n")
    assert notebook.kernel.value("__import__('ipykernel').__version__") == version
    assert ADA in until(lambda: notebook.output(1), "the next cell to use the tokens")
    assert len(provider.exchanges()) == 1


def test_an_interrupt_ends_the_wait(open_notebook, provider):
    notebook = open_notebook(f"{cells.show_widget(provider, provider.public)}\nwidget.wait(timeout=120)")
    notebook.run_all()
    widget = Widget(notebook.page)
    widget.wait_ready()
    notebook.interrupt()
    # From outside: the kernel turns away what arrives while it gives up the queued cells.
    until(lambda: "KeyboardInterrupt" in notebook.output(0), "the cell to end")
    sign_in(notebook).wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.value("widget.wait(timeout=0).email") == ADA


def test_nobody_signs_in(open_notebook, provider):
    notebook = open_notebook(
        f"{cells.show_widget(provider, provider.public)}\nwidget.wait(timeout=0.2)", "print('after')"
    )
    notebook.run_all()
    Widget(notebook.page).wait_ready()
    notebook.wait_kernel("idle")
    notebook.page.wait_for_function("() => document.body.innerText.includes('SignInError')")
    assert re.search(r"SignInError: Nobody signed in within 0\.2 s", notebook.output(0))
    assert notebook.output(1) == "", "Run All stops there"
