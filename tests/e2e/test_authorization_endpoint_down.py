"""The provider's sign-in page refuses connections or never answers; the user can always go on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.steps import ADA
from e2e.waiting import until
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page


@pytest.fixture
def notebook(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    return notebook


@pytest.fixture
def endpoint(provider):
    """What matches the requests of the popup, as far as the browser sends them."""
    return f"{provider.issuer}/auth?*"


def assert_ways_out(widget):
    """Every control that works without the popup is there."""
    widget.wait_status("Waiting for you in the popup")
    widget.show_trouble()
    for control in (widget.cancel_button, widget.link, widget.paste_field):
        expect(control).to_be_visible(timeout=PATIENCE_MS)
        expect(control).to_be_enabled()


def test_refused(notebook, endpoint):
    """If the provider refuses connections, the widget reports the closed popup, and Retry works."""
    context, widget = notebook.page.context, Widget(notebook.page)
    context.route(endpoint, lambda route: route.abort("connectionrefused"))
    window = widget.open_popup()
    window.wait_for_function("() => location.protocol === 'chrome-error:'")
    assert_ways_out(widget)

    window.close()
    widget.wait_status("The popup seems to be closed.")
    expect(widget.cancel_button).to_be_visible()
    notebook.kernel.until("widget.error_code == '' and widget.status.startswith('Waiting for you')")
    context.unroute(endpoint)
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status(f"Signed in as {ADA}")


def test_silent(notebook, endpoint):
    """If the provider does not answer, Cancel closes the popup, and a new click signs in."""
    context, widget = notebook.page.context, Widget(notebook.page)
    asked = []

    def hold(route):
        asked.append(route)

    context.route(endpoint, hold)
    window = widget.open_popup()
    until(lambda: asked or notebook.page.wait_for_timeout(20), "the popup's request")
    assert_ways_out(widget)

    widget.click(widget.cancel_button)
    popup.wait_closed(window)
    widget.wait_idle()
    context.unroute(endpoint)
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status(f"Signed in as {ADA}")


def test_silent_and_then_there(notebook, endpoint, provider):
    """If the provider comes back, reloading the popup's page finishes the same attempt."""
    context, widget = notebook.page.context, Widget(notebook.page)
    context.route(endpoint, lambda route: route.abort("timedout"))
    window = widget.open_popup()
    window.wait_for_function("() => location.protocol === 'chrome-error:'")
    assert_ways_out(widget)
    context.unroute(endpoint)
    window.reload()
    popup.sign_in(window, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1
