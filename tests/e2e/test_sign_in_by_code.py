"""Signing in by code in a notebook (RFC 8628): the code is entered on another device.

The page runs it for a client without a secret; the kernel runs it for one with a secret, and where the
provider does not answer pages.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from servers.scripted_device import enter_code

from e2e import cells
from e2e.kernel_versions import kernel_name
from e2e.waiting import PATIENCE_SECONDS, until
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
PATIENCE_MS = PATIENCE_SECONDS * 1000


def ask(notebook):
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.use_code()
    widget.wait_code()
    return widget


def show_code(notebook):
    notebook.run_cell(0)
    return ask(notebook)


def code_of(widget):
    user_code = widget.root.locator(".tokentoss-user-code").inner_text()
    return widget.code_page.get_attribute("href").partition("?")[0], user_code


def picture(widget):
    return widget.root.get_by_alt_text("QR code of the page where the code is entered")


def senders(provider, path):
    """The origins of the pages that sent the requests to a path; None for each of the kernel's."""
    return [
        entry["headers"].get("origin")
        for entry in provider.requests(path, method="POST")
        if "device_code" in entry["body"] or path != "/token"
    ]


def polls(provider):
    return senders(provider, "/token")


def origin_of(notebook):
    return notebook.page.evaluate("() => location.origin")


def test_a_code_entered_elsewhere_signs_in(open_notebook, provider, tmp_path):
    """A code entered on another page signs in: the page polls, the kernel gets the tokens."""
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook)
    page, user_code = code_of(widget)
    assert page.startswith(provider.issuer)
    expect(picture(widget)).to_be_visible(timeout=PATIENCE_MS)
    expect(widget.root.get_by_text(re.compile(r"^Expires in \d+:\d\d$"))).to_be_visible()
    notebook.kernel.until("widget.status == 'Waiting for you to enter the code…'")
    assert notebook.kernel.value("widget.code") == {}
    widget.screenshot(tmp_path / "code.png")
    enter_code(page, user_code, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.value("(widget.is_authenticated, widget.code, widget.ticket)") == [True, {}, {}]
    assert notebook.kernel.value("widget.auth_manager.token_data.refresh_token is not None")
    origin = origin_of(notebook)
    assert senders(provider, "/device/auth") == [origin]
    assert polls(provider)
    assert set(polls(provider)) == {origin}


def test_a_busy_kernel_is_not_needed_before_the_end(open_notebook, provider, tmp_path):
    """A code is shown and its tokens are fetched while another cell runs."""
    release, seen = tmp_path / "release", tmp_path / "seen"
    notebook = open_notebook(
        cells.show_widget(provider, provider.device), cells.stay_busy(release, seen=seen, condition="False")
    )
    notebook.run_cell(0)
    Widget(notebook.page).wait_ready()
    notebook.start_cell(1)
    notebook.wait_kernel("busy")
    try:
        widget = ask(notebook)
        until(lambda: polls(provider), "a poll")
        enter_code(*code_of(widget), ADA)
        widget.wait_status(re.compile("Passing it on to Python|Signed in as"))
    finally:
        release.touch()
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.value("widget.user_email") == ADA
    assert None not in polls(provider)


def test_a_cell_that_waits_does_not_stop_it(open_notebook, provider):
    """Tokens of a code reach the kernel after the cell on an ipykernel that delays messages."""
    notebook = open_notebook(
        f"{cells.show_widget(provider, provider.device)}\nwidget.wait(timeout=120)",
        kernel=kernel_name("6.30.1"),
    )
    notebook.start_cell(0)
    widget = ask(notebook)
    enter_code(*code_of(widget), ADA)
    widget.wait_status("Passing it on to Python")
    notebook.interrupt()
    widget.wait_status(f"Signed in as {ADA}")
    assert notebook.kernel.value("widget.wait(timeout=0).email") == ADA


def test_a_client_with_a_secret_leaves_it_to_the_kernel(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device_confidential))
    # A page of the test before may have asked once more for its own code.
    provider.forget_requests()
    widget = show_code(notebook)
    expect(picture(widget)).to_be_visible(timeout=PATIENCE_MS)
    enter_code(*code_of(widget), ADA)
    widget.wait_status(f"Signed in as {ADA}")
    assert senders(provider, "/device/auth") == [None]
    assert set(polls(provider)) == {None}


def test_a_provider_that_does_not_answer_pages_is_asked_by_the_kernel(open_notebook, provider):
    """Without CORS, the kernel asks for the code and polls."""
    provider.change(cors_origins=[])
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    provider.forget_requests()  # as above
    widget = show_code(notebook)
    shown = code_of(widget)
    assert notebook.kernel.value("widget.code['user_code']") == shown[1]
    enter_code(*shown, ADA)
    widget.wait_status(f"Signed in as {ADA}")
    assert senders(provider, "/device/auth") == [origin_of(notebook), None]
    assert set(polls(provider)) == {None}


def test_a_declined_code_says_so_and_the_button_works(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook)
    enter_code(*code_of(widget), ADA, approve=False)
    widget.wait_status("Access wasn't granted:")
    widget.wait_ready()
    notebook.kernel.until("widget.error_code == 'access_denied'")


def test_a_cancelled_code_never_signs_in(open_notebook, provider):
    """A cancelled code signs nobody in, even if it is entered."""
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook)
    shown = code_of(widget)
    widget.click(widget.cancel_button)
    widget.wait_idle()
    notebook.kernel.until("widget.status == 'Click to sign in'")
    enter_code(*shown, ADA)
    asked = len(polls(provider))
    widget = ask(notebook)
    assert code_of(widget) != shown
    until(lambda: len(polls(provider)) > asked, "a poll for the next code")
    assert not notebook.kernel.value("widget.is_authenticated")


def test_a_code_of_the_page_ends_with_it(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device))
    widget = show_code(notebook)
    shown = code_of(widget)
    notebook.save()
    notebook.reload()
    widget = ask(notebook)
    assert code_of(widget) != shown
    enter_code(*code_of(widget), ADA)
    widget.wait_status(f"Signed in as {ADA}")


def test_a_code_of_the_kernel_outlives_the_page_and_ends_with_cancel(open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.device_confidential))
    widget = show_code(notebook)
    shown = code_of(widget)
    notebook.save()
    notebook.reload()
    widget = Widget(notebook.page)
    widget.wait_code()
    assert code_of(widget) == shown
    widget.click(widget.cancel_button)
    widget.wait_idle()
    assert notebook.kernel.until("widget.code == {}")
