"""One click, a popup, and Python holds tokens with which an API call succeeds."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from e2e import cells, kernel_messages, popup
from e2e.widget import Widget

ADA = "ada@example.com"

pytestmark = pytest.mark.kept_page


@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_signs_in_and_calls_the_api(open_notebook, provider, iap_api, kind):
    """One token request gives Python its tokens, and the API call works (C2, C23, C41, C42, C43, C70)."""
    client = getattr(provider, kind)
    notebook = open_notebook(cells.show_widget(provider, client), cells.call_api(iap_api))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_idle()
    provider.reset()

    window = widget.open_popup()
    popup.sign_in(window, ADA)
    popup.wait_closed(window)

    widget.wait_status(f"Signed in as {ADA}")
    assert urlsplit(window.url).query == ""
    expect(widget.sign_out_button).to_be_visible()
    expect(widget.sign_in_button).to_be_hidden()
    notebook.kernel.until("widget.is_authenticated")
    assert notebook.kernel.value("widget.user_email") == ADA
    assert notebook.kernel.value("widget.status") == f"Signed in as {ADA}"
    assert notebook.kernel.value(
        "[widget.error, widget.error_code, widget.sealed_tokens, widget.ticket]"
    ) == ["", "", "", {}]

    assert [request["method"] for request in provider.exchanges()] == ["POST"]
    (request,) = provider.exchanges()
    parameters = {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}
    if client.client_secret:
        parameters.add("client_secret")
    assert set(request["body"]) == parameters
    assert request["query"] == []
    assert request["headers"]["origin"] == notebook.lab.origin
    assert {"cookie", "referer"}.isdisjoint(request["header_names"])

    notebook.run_cell(1)
    assert f"'email': '{ADA}'" in notebook.output(1)


def test_no_kernel_message_between_click_and_popup(open_notebook, provider):
    """The popup opens without a kernel message between click and popup (C25)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)

    window = Widget(notebook.page).open_popup()

    assert kernel_messages.between_click_and_popup(notebook.page) == 0
    window.close()


def test_the_listener_is_gone_after_the_sign_in(open_notebook, provider):
    """The loopback port is open while a ticket is outstanding and closed afterwards (C28)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.wait_ready()
    port = urlsplit(notebook.kernel.value("widget.ticket['redirect_uri']")).port
    assert accepts_connections(port)

    widget.sign_in(ADA)

    notebook.kernel.until("widget.is_authenticated")
    notebook.kernel.until(f"__import__('socket').socket().connect_ex(('127.0.0.1', {port})) != 0")
    assert not accepts_connections(port)


def test_signs_out_and_in_again_as_somebody_else(open_notebook, provider, iap_api):
    """After a sign-out, a second user signs in, and calls use the second user's tokens (C4, C59)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public), cells.try_api(iap_api))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    widget.sign_in(ADA)

    widget.click(widget.sign_out_button)
    widget.wait_idle()
    notebook.kernel.until("not widget.is_authenticated and widget.ticket")
    assert notebook.kernel.value("widget.user_email") == ""
    notebook.run_cell(1)
    assert "NoCredentialsError" in notebook.output(1)

    notebook.page.context.clear_cookies(domain="127.0.0.1")  # the provider would remember Ada
    widget.sign_in("grace@example.com")
    widget.wait_status("Signed in as grace@example.com")
    notebook.run_cell(1)
    assert "'email': 'grace@example.com'" in notebook.output(1)


def test_a_user_without_access_is_told_so(open_notebook, provider, iap_api):
    """A signed-in user without access gets ServiceForbiddenError."""
    notebook = open_notebook(
        cells.show_widget(provider, provider.public),
        cells.try_api(iap_api),
    )
    notebook.run_cell(0)
    Widget(notebook.page).sign_in("mallory@example.com")

    notebook.run_cell(1)

    assert notebook.output(1).strip() == "ServiceForbiddenError service_forbidden"


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on the loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
