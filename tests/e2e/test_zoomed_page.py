"""Popups of zoomed pages have as much room as others."""

from __future__ import annotations

import json
import math
from contextlib import closing

import pytest
from tokentoss.callback.pages import start_page

from e2e.browser import FLAGS, UNWANTED_DEFAULTS, chromium_path

NOTEBOOK, LISTENER = "http://localhost:9/", "http://127.0.0.1:9/"
OPEN = f"open('{LISTENER}tokentoss/start#ticket.key', '_blank', 'popup,width=500,height=640')"
ZOOM_STEP = 1.2  # each level of zoom in Chromium's preferences is that much more


@pytest.mark.parametrize(("zoom", "room"), [(1.0, (500, 630)), (2.0, (500, 630)), (5.0, (310, 260))])
def test_the_start_page_makes_its_room(browser, tmp_path, zoom, room):
    """The start page enlarges its popup according to the zoom, up to the screen's size (H8)."""
    level = math.log(zoom, ZOOM_STEP)
    (tmp_path / "Default").mkdir()
    preferences = {"partition": {"default_zoom_level": {"x": level}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    content, headers = start_page("en")
    context = browser.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=chromium_path(),
        args=[*FLAGS, "--screen-info={1600x1400}"],
        ignore_default_args=list(UNWANTED_DEFAULTS),
        no_viewport=True,
    )
    with closing(context):
        button = f'<button onclick="{OPEN}">Sign in</button>'
        context.route(f"{NOTEBOOK}**", lambda route: route.fulfill(body=button, content_type="text/html"))
        context.route(f"{LISTENER}**", lambda route: route.fulfill(body=content, headers=headers))
        page = context.new_page()
        page.goto(NOTEBOOK)
        with page.expect_popup() as popup:
            page.get_by_role("button").click()
        assert page.evaluate("devicePixelRatio") == pytest.approx(zoom)
        popup.value.wait_for_function(
            "([width, height]) => innerWidth >= width && innerHeight >= height", arg=list(room)
        )
