"""A sign-in in a German browser: the sign-in window speaks German, whatever JupyterLab does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, kernel_messages, popup
from e2e.browser import local_context
from e2e.widget import Widget

ADA = "ada@example.com"


@pytest.fixture
def context(browser):
    with local_context(browser, locale="de-DE") as context:
        kernel_messages.record(context)
        yield context


def test_the_sign_in_window_speaks_german(open_notebook, provider, context):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    asked = []
    context.on("request", lambda one: asked.append(one.url))
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    start = next(url for url in asked if "/tokentoss/start" in url).partition("#")[0]

    # Whoever opens it again reads in German what to do.
    again = context.new_page()
    again.goto(start)
    expect(again.get_by_role("heading")).to_have_text("Nicht angemeldet")
    expect(again.get_by_role("status")).to_contain_text("Verbindung zu Ihrem Notebook verloren")
    assert again.evaluate("() => document.documentElement.lang") == "de"
    again.close()

    popup.sign_in(window, ADA)
    popup.wait_closed(window)
    widget.wait_status(f"Signed in as {ADA}")
