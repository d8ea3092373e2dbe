"""What the user does in the popup: the pages of the provider's development login."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOGIN_FIELD = 'input[name="login"]'
PASSWORD_FIELD = 'input[name="password"]'
CONSENT_FORM = 'form:has(input[name="prompt"][value="consent"])'
SUBMIT = "button[type=submit]"


def sign_in(popup: Page, login: str) -> None:
    """Give the login and approve what the client asks for. The popup then goes on to the callback page."""
    answer_login(popup, login)
    popup.locator(CONSENT_FORM).locator(SUBMIT).click(no_wait_after=True)


def answer_login(popup: Page, login: str) -> None:
    """Fill in the login form, unless the provider remembers the user, and wait for the consent page."""
    popup.locator(f"{LOGIN_FIELD}, {CONSENT_FORM}").first.wait_for()
    if popup.locator(LOGIN_FIELD).count():
        popup.fill(LOGIN_FIELD, login)
        popup.fill(PASSWORD_FIELD, "any")
        popup.locator(SUBMIT).click()
    popup.locator(CONSENT_FORM).wait_for()


def decline(popup: Page) -> None:
    """Use the page's own way out: the provider answers `access_denied`."""
    popup.get_by_role("link", name="Cancel").click(no_wait_after=True)


def wait_closed(popup: Page) -> None:
    """Wait until the window is gone."""
    if not popup.is_closed():
        popup.wait_for_event("close")


def wait_unreachable(popup: Page, beginning: str) -> str:
    """Wait until the window shows that an address cannot be reached; return what its address bar holds."""
    popup.wait_for_function("() => location.protocol === 'chrome-error:'")
    session = popup.context.new_cdp_session(popup)
    history = session.send("Page.getNavigationHistory")
    session.detach()
    shown: str = history["entries"][history["currentIndex"]]["url"]
    assert shown.startswith(beginning), shown
    return shown
