"""The user declines, closes the popup or cancels: the widget says so, and the next try works."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"


@pytest.fixture
def notebook(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    provider.reset()
    return notebook


def test_declined_consent(notebook, provider):
    """A declined consent is shown as a sentence, without a token request, and can be retried (C44)."""
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    widget.wait_status("Waiting for you in the popup")
    popup.decline(window)
    popup.wait_closed(window)

    notebook.kernel.until("widget.error_code == 'access_denied'")
    sentence = notebook.kernel.value("widget.error")
    assert sentence
    widget.wait_status(sentence)
    assert notebook.kernel.value("widget.status") == f"Error: {sentence}"
    assert not notebook.kernel.value("widget.is_authenticated")
    assert provider.exchanges() == []

    window = widget.open_popup()
    popup.sign_in(window, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated and widget.error == '' and widget.error_code == ''")


def test_closed_popup(notebook, provider):
    """A closed popup is reported without ending the sign-in, and the button starts it again (C18)."""
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    window.close()

    widget.wait_status("The popup seems to be closed.")
    assert provider.exchanges() == []

    window = widget.open_popup()
    popup.sign_in(window, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated and widget.error == ''")


def test_cancel_closes_the_popup(notebook, provider):
    """Cancel closes the popup and ends the attempt; the next sign-in works (C4)."""
    widget = Widget(notebook.page)
    window = widget.open_popup()
    window.wait_for_url(f"{provider.issuer}/**")
    widget.click(widget.cancel_button)
    popup.wait_closed(window)

    widget.wait_idle()
    expect(widget.cancel_button).to_be_hidden()
    notebook.kernel.until("widget.status == 'Click to sign in'")
    widget.sign_in(ADA)
    assert len(provider.exchanges()) == 1


def test_cancel_while_the_token_endpoint_is_slow(open_notebook, provider):
    """Cancel works while the token endpoint is slow, and its late answer is ignored."""
    notebook = open_notebook(cells.show_widget(provider, provider.public, exchange="browser"))
    notebook.run_cell(0)
    provider.change(token_hold=True)
    widget = Widget(notebook.page)
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status("Signing in…")
    notebook.kernel.until("widget.status == 'Signing in…'")

    widget.click(widget.cancel_button)

    widget.wait_idle()
    provider.change(token_hold=False)
    notebook.kernel.until("widget.status == 'Click to sign in'")
    assert not notebook.kernel.value("widget.is_authenticated")
    widget.sign_in(ADA)


def test_keyboard_alone(notebook):
    """Enter starts a sign-in, Escape cancels it, and the focus stays in the widget."""
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.sign_in_button.focus()
    with notebook.page.context.expect_page() as opened:
        notebook.page.keyboard.press("Enter")
    window = opened.value
    window.wait_for_load_state()
    notebook.page.bring_to_front()
    widget.wait_status("Waiting for you in the popup")
    notebook.page.keyboard.press("Escape")
    popup.wait_closed(window)
    widget.wait_idle()
    assert notebook.page.evaluate(
        "() => document.querySelector('.tokentoss').contains(document.activeElement)"
    )
