"""One sign-in by the built front end in Chromium, watched until the product itself says how it ended."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from e2e.gesture import click_by_mouse
from e2e.waiting import PATIENCE_SECONDS
from playwright.sync_api import Error as PlaywrightError
from tokentoss import AuthManager, AuthWidget

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FrameLocator, Page

    from .bridge import Bridge

_PAUSE_MILLISECONDS = 5


def sign_in(
    context: BrowserContext, bridge: Bridge, manager: AuthManager, *, framed: bool = False
) -> str | None:
    """Sign in by a click on the button; return the code of the error that ended it, if one did.

    Returns when page and kernel agree that the sign-in is over. A callback that belongs to no sign-in does
    not end one: the popup then says so, and the sign-in is cancelled like a user would.

    Args:
        context: The browser context, for this sign-in alone.
        bridge: Carries the widget's messages.
        manager: Whose client signs in.
        framed: Whether the page with the widget is shown in a frame of a page of another origin.
    """
    widget = AuthWidget(auth_manager=manager)
    bridge.show(widget)
    page = context.new_page()
    try:
        page.goto(bridge.host_url if framed else bridge.url)
        place = page.frame_locator("iframe") if framed else page
        button = place.locator(".tokentoss-sign-in:enabled")
        button.wait_for()
        click_by_mouse(page, button)
        code = _end(context, page, place, widget)
        if code == "state_mismatch":
            place.locator(".tokentoss button", has_text="Cancel").click()
            place.locator(".tokentoss[data-state=ready]").wait_for()
        return code
    finally:
        widget.close()
        bridge.show(None)
        for one in context.pages:
            one.close()


def _end(context: BrowserContext, page: Page, place: Page | FrameLocator, widget: AuthWidget) -> str | None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = place.locator(".tokentoss").get_attribute("data-state")
        if state == "signed_in" and widget.is_authenticated:
            return None
        if state == "failed" and widget.error_code:
            return widget.error_code
        for popup in context.pages:
            if popup is not page and (code := _refusal_in(popup)):
                return code
        # Playwright hears of popups only while one of its own calls waits.
        page.wait_for_timeout(_PAUSE_MILLISECONDS)
    message = f"the sign-in came to no end: {state!r}, {widget.status!r}"
    raise TimeoutError(message)


def _refusal_in(popup: Page) -> str | None:
    """The code with which the loopback listener refused what the provider sent the popup to it with."""
    with suppress(PlaywrightError):
        if "state=" in popup.url or "code=" in popup.url:
            code = popup.locator("#code:not([hidden]) code").inner_text(timeout=200)
            return code or None
    return None
