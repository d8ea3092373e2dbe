"""The question of the start page: may a page sign in for which nothing else vouches?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Question:
    """The question in a window that shows the start page."""

    def __init__(self, window: Page) -> None:
        self._window = window
        self.yes = window.get_by_role("button", name=re.compile("^Yes"))
        self.no = window.get_by_role("button", name="No", exact=True)

    def wait(self, origin: str) -> None:
        """Wait for the question about the page of this origin, and until a yes would count."""
        expect(self._window.get_by_text(origin, exact=True)).to_be_visible()
        expect(self.no).to_be_visible()
        expect(self.yes).to_be_enabled()

    def say_yes(self, origin: str) -> None:
        """Let the page of this origin sign in."""
        self.wait(origin)
        self.yes.click(no_wait_after=True)

    def say_no(self, origin: str) -> None:
        """Refuse the page of this origin."""
        self.wait(origin)
        self.no.click(no_wait_after=True)
