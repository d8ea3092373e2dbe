"""Whole sign-ins through a static callback page, of the Jupyter server or of another host."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from servers.static_host import CALLBACK, StaticHost

from e2e import cells, popup
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
STEERED = "Finish signing in in the popup…"
TOLD = "Waiting for you in the popup, which ends on the callback page…"
OPENER = pytest.mark.parametrize("coop", [None, "same-origin"], ids=["opener", "severed"])
KIND = pytest.mark.parametrize("kind", ["public", "confidential"])


@pytest.fixture(scope="module")
def running_host():
    with StaticHost() as host:
        yield host


@pytest.fixture
def other_page(running_host, lab, provider):
    """A callback page that has another origin than the notebook, and talks to the notebook's."""
    running_host.origins = [lab.origin]
    page = f"{running_host.origin}{CALLBACK}"
    provider.change(callback_pages=[page])
    return page


def assert_signed_in(notebook, provider, window):
    Widget(notebook.page).wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated and not widget.sealed_tokens")
    popup.wait_closed(window)
    assert len(provider.exchanges()) == 1


@OPENER
@KIND
def test_a_client_without_loopback(open_notebook, lab, provider, kind, coop):
    """A client without loopback signs in through the server's callback page (C14, C18, C20)."""
    provider.change(callback_pages=[lab.callback_page], coop=coop)
    client = getattr(provider, kind)
    notebook = open_notebook(cells.show_web_widget(provider, client, lab.callback_page))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    assert window.evaluate("() => window.opener === null") == bool(coop)
    expect(widget.paste_field).to_be_hidden()
    popup.sign_in(window, ADA)
    assert_signed_in(notebook, provider, window)


@OPENER
@KIND
def test_a_page_of_another_origin(open_notebook, provider, other_page, kind, coop):
    """A callback page of another origin tells its opener, or else shows its address to paste (C15)."""
    provider.change(coop=coop)
    notebook = open_notebook(cells.show_web_widget(provider, getattr(provider, kind), other_page))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.sign_in(window, ADA)
    if coop:
        field = window.get_by_role("textbox")
        expect(field).to_be_visible(timeout=PATIENCE_MS)
        address = field.input_value()
        assert address.startswith(f"{other_page}?")
        notebook.page.bring_to_front()
        widget.show_trouble()
        widget.paste(address)
        widget.wait_status(f"Signed in as {ADA}")
        notebook.kernel.until("widget.is_authenticated")
        assert len(provider.exchanges()) == 1
    else:
        assert_signed_in(notebook, provider, window)


def test_a_declined_consent_comes_by_the_page(open_notebook, lab, provider):
    """A declined consent reaches the kernel as access_denied, and a retry signs in (C44)."""
    provider.change(callback_pages=[lab.callback_page])
    notebook = open_notebook(cells.show_web_widget(provider, provider.public, lab.callback_page))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    popup.decline(window)
    popup.wait_closed(window)
    notebook.kernel.until("widget.error_code == 'access_denied'")
    popup.sign_in(widget.open_popup(), ADA)
    widget.wait_status(f"Signed in as {ADA}")


class TestUnreachableLoopback:
    """Sign-ins that go on by the callback page if the browser cannot reach the listener."""

    @pytest.fixture
    def kept_page(self, far_kept_page):
        return far_kept_page

    @OPENER
    @KIND
    def test_the_servers_page(self, open_notebook, lab, provider, unreachable_port, kind, coop):
        provider.change(callback_pages=[lab.callback_page], coop=coop)
        options = {"redirect_ports": [unreachable_port], "redirect_uri": lab.callback_page}
        notebook = open_notebook(cells.show_widget(provider, getattr(provider, kind), **options))
        notebook.run_cell(0)
        widget = Widget(notebook.page)
        window = widget.open_popup()
        popup.answer_login(window, ADA)
        widget.wait_status(STEERED)
        notebook.kernel.until(f"widget.status == {TOLD!r}")
        popup.sign_in(window, ADA)
        assert_signed_in(notebook, provider, window)

    def test_a_page_of_another_origin(self, open_notebook, provider, unreachable_port, other_page):
        options = {"redirect_ports": [unreachable_port], "redirect_uri": other_page}
        notebook = open_notebook(cells.show_widget(provider, provider.confidential, **options))
        notebook.run_cell(0)
        window = Widget(notebook.page).open_popup()
        popup.sign_in(window, ADA)
        assert_signed_in(notebook, provider, window)
