"""The sign-in widget as a user sees and clicks it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

from . import popup
from .gesture import click_by_mouse, click_without_gesture
from .waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = ".tokentoss"
SIGN_IN = ".tokentoss-sign-in"
PROBLEM = ".tokentoss-hint"
PATIENCE_MS = PATIENCE_SECONDS * 1000


class Widget:
    """One view of a widget in a notebook page; `view` counts the views of the page from the top."""

    def __init__(self, page: Page, view: int = 0) -> None:
        self.page = page
        self.root: Locator = page.locator(ROOT).nth(view)
        self.sign_in_button = self.root.get_by_role("button", name=re.compile("^Sign in with"))
        self.status = self.root.get_by_role("status")
        self.link = self.root.get_by_role("link", name="Open sign-in page")
        self.help = self.root.get_by_role("link", name="What to do about this")
        self.code_page = self.root.locator(".tokentoss-where").get_by_role("link")
        self.cancel_button = self.root.get_by_role("button", name="Cancel")
        self.reload_button = self.root.get_by_role("button", name="Reload the page")
        self.cell_button = self.root.get_by_role("button", name="Go to the cell")
        self.sign_in_link = self.root.get_by_role("link", name=re.compile("^Sign in with"))
        self.use_link_button = self.root.get_by_role("button", name="Use a link instead")
        self.sign_out_button = self.root.get_by_role("button", name="Sign out")
        self.paste_field = self.root.get_by_label("Address of the last page")
        self.trouble_toggle = self.root.get_by_role("button", name="Trouble signing in?")
        self.paste_problem = self.root.locator(f".tokentoss-trouble {PROBLEM}").first

    def wait_status(self, text: str | re.Pattern[str]) -> None:
        """Wait for the status line to read, or to hold, the text."""
        expect(self.status).to_contain_text(text, timeout=PATIENCE_MS)

    def wait_ready(self) -> None:
        """Wait until a click would start a sign-in."""
        expect(self.sign_in_button).to_be_enabled(timeout=PATIENCE_MS)

    def wait_idle(self) -> None:
        """Wait until nobody is signed in, and nothing is under way or has failed."""
        expect(self.root).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)

    def wait_code(self) -> None:
        """Wait until there is a code to enter on another device."""
        self.wait_status(re.compile(r"^Enter \S+ at \S+$"))

    def show_trouble(self) -> None:
        """Open what holds the other ways to sign in, unless it is open."""
        expect(self.trouble_toggle).to_be_visible(timeout=PATIENCE_MS)
        if self.trouble_toggle.get_attribute("aria-expanded") == "false":
            self.click(self.trouble_toggle)

    def use_code(self) -> None:
        """Ask for a code to enter on another device."""
        self.show_trouble()
        self.click(self.root.get_by_role("button", name="Use a code instead"))

    def click(self, control: Locator) -> None:
        """Click one of its controls like a user."""
        control.wait_for()
        click_by_mouse(self.page, control)

    def open_popup(self, control: Locator | None = None) -> Page:
        """Click the sign-in button, or another control, and return the window it opens."""
        control = control or self.sign_in_button
        expect(control).to_be_enabled(timeout=PATIENCE_MS)
        with self.page.context.expect_page(timeout=PATIENCE_MS) as opened:
            self.click(control)
        return opened.value

    def sign_in(self, login: str) -> None:
        """The whole sign-in, until the popup is gone and the widget names the user."""
        window = self.open_popup()
        popup.sign_in(window, login)
        popup.wait_closed(window)
        self.wait_status("Signed in as")

    def paste(self, address: str) -> None:
        """Put an address into the field, which must be open, and have it used."""
        expect(self.paste_field).to_be_visible(timeout=PATIENCE_MS)
        self.paste_field.fill(address)
        self.click(self.root.get_by_role("button", name="Continue"))

    def click_sign_in_without_gesture(self) -> None:
        """Make the popup blocker act on the sign-in button of the page's only view."""
        click_without_gesture(self.page, SIGN_IN)

    def screenshot(self, path: Path) -> None:
        """Picture of the widget with a margin of the page around it."""
        self.root.scroll_into_view_if_needed()
        box = self.root.bounding_box()
        assert box is not None
        margin = 12
        self.page.screenshot(
            path=path,
            clip={
                "x": max(box["x"] - margin, 0),
                "y": max(box["y"] - margin, 0),
                "width": box["width"] + 2 * margin,
                "height": box["height"] + 2 * margin,
            },
        )


@contextmanager
def count_windows(page: Page) -> Iterator[list[Page]]:
    """Collect the windows that open in the page's context while the block runs."""
    opened: list[Page] = []

    def note(window: Page) -> None:
        opened.append(window)

    page.context.on("page", note)
    try:
        yield opened
    finally:
        page.context.remove_listener("page", note)
