"""Keyboard focus and screen reader announcements as the state changes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tokentoss import error_codes

from e2e.bare_page import bare_widget
from e2e.widget import Widget

ADA = {"is_authenticated": True, "user_email": "ada@example.com", "status": "Signed in as ada@example.com"}
NOBODY = {"is_authenticated": False, "user_email": "", "status": "Click to sign in"}
CODE = {
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://login.example.com/device",
    "page": "https://login.example.com/device?user_code=WDJB-MJHT",
    "expires_at": 4_000_000_000,
    "qr": "",
}
# Each text that the live regions of the widget have had, from now on.
LISTEN = """() => {
  window.heard = [];
  const live = "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]";
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target instanceof Element ? target : target.parentElement)?.closest(live);
      const text = region?.textContent;
      if (text && window.heard.at(-1) !== text) window.heard.push(text);
    }
  }).observe(document.querySelector(".tokentoss"), { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture
def view(context):
    with bare_widget(context) as shown:
        yield shown


def kernel_sets(page, **changes):
    page.evaluate("changes => kernelSets(changes)", changes)


def has_outline(widget):
    return widget.root.evaluate("root => getComputedStyle(root).outlineStyle !== 'none'")


def test_the_focus_returns_to_the_button_after_a_sign_out(view):
    page, ticket = view
    widget = Widget(page)
    kernel_sets(page, ticket={}, **ADA)
    page.keyboard.press("Tab")
    expect(widget.sign_out_button).to_be_focused()
    page.keyboard.press("Enter")
    widget.wait_status("Signing out…")
    # Nothing else can take it now; it must be seen all the same.
    expect(widget.root).to_be_focused()
    assert has_outline(widget)
    kernel_sets(page, **NOBODY)
    kernel_sets(page, ticket=ticket | {"id": "another"})
    expect(widget.sign_in_button).to_be_focused()


def test_the_focus_is_not_on_sign_out_after_a_sign_in(view):
    """After a sign-in, the focus is on the widget, not on its sign-out button."""
    page, _ = view
    widget = Widget(page)
    page.keyboard.press("Tab")
    expect(widget.sign_in_button).to_be_focused()
    kernel_sets(page, ticket={}, **ADA)
    expect(widget.root).to_be_focused()
    assert has_outline(widget)
    page.keyboard.press("Tab")
    expect(widget.sign_out_button).to_be_focused()


def test_who_is_elsewhere_is_left_there(view):
    page, ticket = view
    widget = Widget(page)
    page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<button id=other>Other</button>')")
    page.locator("#other").focus()
    kernel_sets(page, ticket={}, **ADA)
    kernel_sets(page, ticket=ticket | {"id": "another"}, **NOBODY)
    widget.wait_idle()
    expect(page.locator("#other")).to_be_focused()


def test_a_code_and_its_page_are_said_once(view):
    page, _ = view
    widget = Widget(page)
    # Without a ticket, the code is the kernel's.
    kernel_sets(page, ticket={})
    page.evaluate(LISTEN)
    kernel_sets(page, code=CODE)
    widget.wait_code()
    kernel_sets(page, code=CODE | {"qr": "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"})
    expect(widget.root.get_by_role("img")).to_be_visible()
    assert page.evaluate("heard") == ["Enter WDJB-MJHT at login.example.com/device"]
    expect(widget.root).to_have_accessible_name("Google account")


def test_a_failure_is_said_once(view):
    page, ticket = view
    page.evaluate(LISTEN)
    sentence = error_codes.sentence("access_denied")
    kernel_sets(page, error=sentence, error_code="access_denied")
    kernel_sets(page, ticket=ticket | {"id": "another"})
    Widget(page).wait_ready()
    assert page.evaluate("heard") == [sentence]


def test_the_code_is_copied(view, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, _ = view
    widget = Widget(page)
    kernel_sets(page, ticket={}, code=CODE)
    widget.click(widget.root.get_by_role("button", name="Copy code"))
    expect(widget.root.get_by_role("button", name="Code copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == "WDJB-MJHT"
    # Another code is not said to be copied.
    kernel_sets(page, code=CODE | {"user_code": "BBBB-CCCC"})
    expect(widget.root.get_by_role("button", name="Copy code")).to_be_visible()


def test_where_the_clipboard_is_closed_the_code_is_selected(view):
    page, _ = view
    widget = Widget(page)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.evaluate("() => { document.execCommand = () => false }")
    kernel_sets(page, ticket={}, code=CODE)
    widget.click(widget.root.get_by_role("button", name="Copy code"))
    page.wait_for_function("() => getSelection().toString().trim() === 'WDJB-MJHT'")
    expect(widget.root.get_by_role("button", name="Copy code")).to_be_visible()
