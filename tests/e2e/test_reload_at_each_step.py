"""After a reload at any step, the widget shows the current state, and the next click works."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.steps import ADA, UNTIL_INTERRUPTED, at_step
from e2e.widget import Widget


@pytest.fixture
def notebook(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public), UNTIL_INTERRUPTED)
    notebook.run_cell(0)
    notebook.save()
    return notebook


def test_while_signing_in(notebook, provider):
    """A reload during the exchange makes the widget ready for a new click, which signs in (C5)."""
    with at_step("signing in", notebook, provider, busy_cell=1):
        notebook.reload()
    widget = Widget(notebook.page)
    widget.wait_ready()
    expect(widget.cancel_button).to_be_hidden()
    widget.sign_in(ADA)


def test_while_handing_over(notebook, provider):
    """A reload during the hand-over loses nothing: the new page shows the sign-in."""
    with at_step("handing over", notebook, provider, busy_cell=1):
        notebook.page.reload(wait_until="domcontentloaded")
        kernel_id = notebook.lab.kernel_of(notebook.path.name)
        notebook.lab.call("POST", f"/api/kernels/{kernel_id}/interrupt")
        notebook.wait_kernel("idle")
    Widget(notebook.page).wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1


def test_a_failure_is_shown_again_with_its_next_step(notebook):
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    popup.decline(window)
    notebook.kernel.until("widget.error_code == 'access_denied'")
    notebook.reload()
    widget = Widget(notebook.page)
    widget.wait_status("Access wasn't granted:")
    widget.wait_ready()
