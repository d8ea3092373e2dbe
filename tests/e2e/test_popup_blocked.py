"""A browser that lets no popup open, with Chromium's own popup blocker."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e import cells, popup
from e2e.gesture import click_by_mouse
from e2e.widget import PATIENCE_MS, Widget, count_windows


def test_the_link_opens_the_sign_in_page_by_hand(open_notebook, provider):
    """A blocked popup gives an error and a link, and the link leads to a sign-in (C25)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()

    with count_windows(notebook.page) as windows:
        widget.click_sign_in_without_gesture()
        expect(widget.link).to_be_visible(timeout=PATIENCE_MS)
        notebook.kernel.until("widget.error_code == 'popup_blocked'")
    assert windows == []
    widget.wait_status(notebook.kernel.value("widget.error"))

    with notebook.page.context.expect_page() as opened:
        click_by_mouse(notebook.page, widget.link)
    window = opened.value
    popup.sign_in(window, "ada@example.com")
    popup.wait_closed(window)
    widget.wait_status("Signed in as ada@example.com")
    notebook.kernel.until("widget.is_authenticated and widget.error == ''")


def test_the_link_helps_beside_a_popup_that_got_lost(open_notebook, provider):
    """The link starts the same sign-in in a tab while the popup is open."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    lost = widget.open_popup()
    lost.wait_for_url(f"{provider.issuer}/**")
    notebook.page.bring_to_front()
    widget.show_trouble()

    with notebook.page.context.expect_page() as opened:
        click_by_mouse(notebook.page, widget.link)
    popup.sign_in(opened.value, "ada@example.com")

    widget.wait_status("Signed in as ada@example.com")
    assert len(provider.exchanges()) == 1
