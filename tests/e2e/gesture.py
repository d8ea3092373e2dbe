"""Clicks with and without a user's gesture, which is what popup blockers look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def click_by_mouse(page: Page, target: Locator) -> None:
    """Click like a user: a mouse event at the middle of the target."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None, "the target is not visible"
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def click_without_gesture(page: Page, selector: str) -> None:
    """Click by a script that no user started, once no earlier gesture is in force: the popup blocker acts."""
    session = page.context.new_cdp_session(page)

    def evaluate(expression: str) -> object:
        # Playwright's own evaluate counts as a gesture; this does not.
        parameters = {"expression": expression, "userGesture": False, "returnByValue": True}
        answer = session.send("Runtime.evaluate", parameters)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    until(lambda: evaluate("navigator.userActivation.isActive") is False, "the last gesture to wear off")
    evaluate(f"document.querySelector({selector!r}).click()")
    session.detach()
