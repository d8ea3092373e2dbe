"""RFC 8628 from a notebook: a code is shown, entered on another device, and ends in tokens."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from servers.scripted_device import enter_code

from e2e import cells
from e2e.waiting import PATIENCE_SECONDS
from e2e.widget import Widget

PATIENCE_MS = PATIENCE_SECONDS * 1000


def show_code(notebook, provider):
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.click(widget.root.get_by_role("button", name="Use a code instead"))
    widget.wait_status("Waiting for you to enter the code…")
    return widget


def code_of(widget):
    user_code = widget.root.locator(".tokentoss-user-code").inner_text()
    return widget.link.get_attribute("href").partition("?")[0], user_code


def test_a_code_entered_elsewhere_signs_in(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook, provider)
    page, user_code = code_of(widget)
    assert page.startswith(provider.issuer)
    expect(widget.root.get_by_alt_text("QR code of the page where the code is entered")).to_be_visible()
    expect(widget.root.get_by_text(re.compile(r"The code ends in \d+:\d\d minutes\."))).to_be_visible()
    enter_code(page, user_code, "ada@example.com")
    widget.wait_status("Signed in as ada@example.com")
    assert notebook.kernel.value("(widget.is_authenticated, widget.code, widget.ticket)") == [True, {}, {}]


def test_a_declined_code_says_so_and_the_button_works(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook, provider)
    enter_code(*code_of(widget), "ada@example.com", approve=False)
    widget.wait_status("Access was not granted.")
    widget.wait_ready()


def test_a_code_outlives_the_page_and_ends_with_cancel(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook, provider)
    shown = code_of(widget)
    notebook.save()
    notebook.open()
    widget = Widget(notebook.page)
    widget.wait_status("Waiting for you to enter the code…")
    assert code_of(widget) == shown
    widget.click(widget.cancel_button)
    widget.wait_status("Click to sign in")
    assert notebook.kernel.until("widget.code == {}")
