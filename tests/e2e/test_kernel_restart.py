"""A restart of the kernel is shown by its widget, and a new run of the cell works."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page

RUN_AGAIN = "un the cell again"


@pytest.fixture
def notebook(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    return notebook


def expect_kernel_gone(widget):
    widget.wait_status(RUN_AGAIN)
    expect(widget.sign_in_button).to_be_disabled(timeout=PATIENCE_MS)
    expect(widget.cancel_button).to_be_hidden()
    expect(widget.reload_button).to_be_hidden()


def run_cell_again(widget):
    """What the sentence says, by its button and the keyboard."""
    widget.click(widget.cell_button)
    widget.page.keyboard.press("Shift+Enter")
    widget.wait_ready()


def test_before_a_sign_in(notebook):
    notebook.restart_kernel()

    widget = Widget(notebook.page)
    expect_kernel_gone(widget)

    run_cell_again(widget)
    widget.sign_in("ada@example.com")


def test_the_next_step_is_found_from_afar(open_notebook, provider):
    """After a restart, the widget leads to its cell even if the code is out of sight."""
    lines = "\n" * 200
    notebook = open_notebook(lines + cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    notebook.restart_kernel()
    expect_kernel_gone(widget)
    run_cell_again(widget)


def test_while_the_popup_is_open(notebook, provider):
    """A restart during a sign-in closes the popup, and no code is redeemed."""
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, "ada@example.com")

    notebook.restart_kernel()

    expect_kernel_gone(widget)
    popup.wait_closed(window)
    assert provider.exchanges() == []


def test_restart_from_another_client(notebook):
    """A widget notices at the next click that another client restarted the kernel."""
    notebook.lab.restart_kernel(notebook.lab.kernel_of(notebook.path.name))

    widget = Widget(notebook.page)
    window = widget.open_popup()

    expect_kernel_gone(widget)
    popup.wait_closed(window)
