"""The pages of the sign-in window in Chromium: what they say, in every look, and that they close."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from e2e.browser import local_context
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from playwright.sync_api import Error as PageError

from looks.pages_scenes import ACCOUNT, SCENES, Scene, show

AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced light": {"color_scheme": "light", "forced_colors": "active"},
    "forced dark": {"color_scheme": "dark", "forced_colors": "active"},
}
NARROW = (180, 256, 500)
"""Widths in CSS pixels: what a panel leaves at 200 %, a popup at 200 %, and a popup."""

OVERFLOW = """() => {
  const all = [...document.querySelectorAll('body *')];
  const wide = all.filter((one) => one.getBoundingClientRect().right > innerWidth);
  return [document.documentElement.scrollWidth - innerWidth, wide.map((one) => one.outerHTML)];
}"""
SHAPES = """() => {
  const shapes = [...document.querySelectorAll('main > svg > path')];
  return shapes.filter((one) => getComputedStyle(one).display !== 'none').length;
}"""
UNCLOSABLE = {name for name in SCENES if name.startswith(("refused", "end"))} | {
    name
    for name in SCENES
    if re.search("going on|asking|busy|signing in|copied|invitation|waiting|more step", name)
}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    scene: Scene = SCENES[request.param]
    return scene


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    locale = request.getfixturevalue("scene").locale if "scene" in request.fixturenames else "en-US"
    with local_context(browser, locale=locale) as context:
        yield context


def test_every_page_reads_well_in_every_look(context: BrowserContext, scene: Scene) -> None:
    """Every page has one title and heading, keeps its policy and has no axe violation."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    context.on("console", note)
    page = show(context, scene)
    expect(page).to_have_title(scene.heading)
    expect(page.get_by_role("heading", level=1)).to_have_text([scene.heading])
    expect(page.locator("main > svg")).to_be_visible()
    assert page.evaluate(SHAPES) == 1
    page.evaluate(AXE)
    for name, look in LOOKS.items():
        page.emulate_media(**look)
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], name
        page.emulate_media(color_scheme=None, forced_colors=None)
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 400})
        assert page.evaluate(OVERFLOW) == [0, []], width
    assert complaints == []
    if page.locator("script").count():
        assert "?" not in page.url, "the address bar has forgotten the code"


def test_the_button_closes_the_popup(context: BrowserContext, scene: Scene) -> None:
    """The button of a page that does not close by itself closes the popup."""
    name = next(name for name, one in SCENES.items() if one is scene)
    page = show(context, scene)
    button = page.locator("#close:visible")
    expect(button).to_have_count(0 if name in UNCLOSABLE else 1)
    if name in UNCLOSABLE:
        return
    page.evaluate("() => { window.stays = false; }")
    with suppress(PageError):  # it may be gone before the click is over
        button.click(no_wait_after=True)
    if not page.is_closed():
        page.wait_for_event("close")


def test_a_tab_offers_no_button_that_does_nothing(context: BrowserContext) -> None:
    """A page in a tab that scripts cannot close shows no close button."""
    scene = SCENES["end, signed in"]
    content, headers = scene.page
    context.route("http://127.0.0.1:9/**", lambda route: route.fulfill(body=content, headers=dict(headers)))
    page = context.new_page()
    page.goto("about:blank?before")
    page.goto("http://127.0.0.1:9/?code=c")
    expect(page.get_by_role("status")).to_contain_text(ACCOUNT)
    expect(page.get_by_role("button")).to_have_count(0)


def test_the_message_is_announced(context: BrowserContext) -> None:
    """Heading and sentence are in one live region."""
    page: Page = show(context, SCENES["callback, denied"])
    status = page.get_by_role("status")
    expect(status).to_have_text(re.compile(r"Not signed in\s+Access wasn't granted"))
    expect(page.locator("#code")).to_have_text("Code: access_denied")


def test_foreign_codes_are_not_shown(context: BrowserContext) -> None:
    page = show(context, SCENES["callback, unknown error"])
    expect(page.locator("#code")).to_be_hidden()
    assert "<b>" not in page.locator("main").inner_text()
