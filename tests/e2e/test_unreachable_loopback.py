"""The browser cannot reach the kernel's listener, as over SSH: the user pastes the popup's address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from e2e import cells, popup
from e2e.waiting import until
from e2e.widget import PATIENCE_MS, Widget

pytestmark = pytest.mark.kept_page

ADA = "ada@example.com"
STEERED = "copy its full address and paste it below."
TOLD = "Waiting for you in the popup, then for the address that it ends on…"


@pytest.fixture
def kept_page(far_kept_page):
    return far_kept_page


@pytest.fixture
def show(open_notebook, provider, unreachable_port):
    """Display a widget whose listener has the port."""

    def show(client, **options):
        notebook = open_notebook(
            cells.show_widget(provider, client, redirect_ports=[unreachable_port], **options)
        )
        notebook.run_cell(0)
        return notebook

    return show


def wait_steered(widget, window, provider):
    """The same window arrives at the provider, and the widget tells what the user will have to do."""
    # Not `wait_for_url`, which the address that does not load would end.
    until(lambda: window.url.startswith(provider.issuer) or window.wait_for_timeout(20), "the provider")
    widget.wait_status(STEERED)
    expect(widget.paste_field).to_be_visible(timeout=PATIENCE_MS)
    expect(widget.link).to_have_attribute("href", re.compile(f"^{re.escape(provider.issuer)}/"))


@pytest.mark.parametrize("exchange", ["auto", "kernel"])
@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_pasting_the_address_signs_in(show, provider, unreachable_port, kind, exchange):
    """A pasted address signs in with one exchange, and the popup is closed (C19, C23)."""
    notebook = show(getattr(provider, kind), exchange=exchange)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    wait_steered(widget, window, provider)
    # Announced by screen readers, and there for code that asks.
    expect(widget.status).to_have_attribute("aria-live", "polite")
    notebook.kernel.until(f"widget.status == {TOLD!r}")
    popup.sign_in(window, ADA)
    address = popup.wait_unreachable(window, f"http://127.0.0.1:{unreachable_port}/?")

    widget.paste(address)

    widget.wait_status(f"Signed in as {ADA}")
    notebook.kernel.until("widget.is_authenticated")
    popup.wait_closed(window)
    (request,) = provider.exchanges()
    assert ("origin" in request["header_names"]) == (exchange == "auto")
    expect(widget.paste_field).to_be_hidden()
    assert widget.paste_field.input_value() == ""


def test_a_bad_paste_is_told_and_loses_nothing(show, provider, unreachable_port):
    """Each bad paste gets its own sentence, and the right address still signs in (C24, C32)."""
    notebook = show(provider.public)
    widget = Widget(notebook.page)
    beginning = f"http://127.0.0.1:{unreachable_port}/?"

    window = widget.open_popup()
    wait_steered(widget, window, provider)
    popup.sign_in(window, ADA)
    others = popup.wait_unreachable(window, beginning)
    widget.click(widget.cancel_button)
    popup.wait_closed(window)

    window = widget.open_popup()
    wait_steered(widget, window, provider)
    popup.sign_in(window, ADA)
    address = popup.wait_unreachable(window, beginning)
    code = parse_qs(urlsplit(address).query)["code"][0]
    state = parse_qs(urlsplit(address).query)["state"][0]
    bad = {
        "": "isn't a whole address",
        code: "only the code",
        address.removeprefix("http://"): "isn't a whole address",
        notebook.page.url: "another page's address",
        address.replace(f":{unreachable_port}/", "/"): "another page's address",
        address.replace(state, state[:-1]): "belongs to another sign-in",
        address.replace(f"code={code}", "code="): "contains neither a code nor an error",
        others: "belongs to another sign-in",
    }
    for text, sentence in bad.items():
        widget.paste(text)
        expect(widget.paste_problem).to_contain_text(sentence, timeout=PATIENCE_MS)
        expect(widget.paste_field).to_have_attribute("aria-invalid", "true")
        widget.wait_status(STEERED)
    assert provider.exchanges() == []
    assert not window.is_closed()

    widget.paste(address)
    widget.wait_status(f"Signed in as {ADA}")
    assert len(provider.exchanges()) == 1


def test_declining_is_pasted_too(show, provider, unreachable_port):
    """A pasted refusal ends the attempt with access_denied, and the next attempt works (C44)."""
    notebook = show(provider.public)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    wait_steered(widget, window, provider)
    popup.answer_login(window, ADA)
    popup.decline(window)
    widget.paste(popup.wait_unreachable(window, f"http://127.0.0.1:{unreachable_port}/?"))
    notebook.kernel.until("widget.error_code == 'access_denied'")

    window = widget.open_popup()
    popup.sign_in(window, ADA)
    widget.paste(popup.wait_unreachable(window, f"http://127.0.0.1:{unreachable_port}/?"))
    widget.wait_status(f"Signed in as {ADA}")


def test_popup_blocked_link_by_hand_and_paste(show, provider, unreachable_port):
    """The link changes to the provider's address once the listener is unreachable."""
    notebook = show(provider.confidential)
    widget = Widget(notebook.page)
    widget.wait_ready()
    widget.click_sign_in_without_gesture()
    notebook.kernel.until("widget.error_code == 'popup_blocked'")

    with notebook.page.context.expect_page() as opened:
        widget.click(widget.link)
    lost = opened.value
    issuer = re.compile(f"^{re.escape(provider.issuer)}/")
    expect(widget.link).to_have_attribute("href", issuer, timeout=PATIENCE_MS)
    notebook.page.bring_to_front()
    with notebook.page.context.expect_page() as opened:
        widget.click(widget.link)
    popup.sign_in(opened.value, ADA)
    address = popup.wait_unreachable(opened.value, f"http://127.0.0.1:{unreachable_port}/?")
    notebook.page.bring_to_front()
    widget.paste(address)

    widget.wait_status(f"Signed in as {ADA}")
    lost.close()


def test_pasting_with_the_keyboard(show, provider, unreachable_port, context):
    """Ctrl+V in the paste field signs in."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = show(provider.public)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    wait_steered(widget, window, provider)
    popup.sign_in(window, ADA)
    address = popup.wait_unreachable(window, f"http://127.0.0.1:{unreachable_port}/?")

    notebook.page.bring_to_front()
    notebook.page.evaluate("text => navigator.clipboard.writeText(text)", address)
    widget.click(widget.paste_field)
    notebook.page.keyboard.press("Control+V")

    widget.wait_status(f"Signed in as {ADA}")
