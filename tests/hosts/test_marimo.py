"""marimo: the same notebook as an app and in the editor."""

from __future__ import annotations

import pytest
from e2e.widget import Widget
from playwright.sync_api import expect
from servers.static_host import CALLBACK

from hosts.marimo import Marimo
from hosts.ways import EVERYWHERE, KernelExchange, PageElsewhere, ways

ADA = "ada@example.com"


def show(context, server):
    page = context.new_page()
    page.goto(server.origin)
    return page


def expect_answer(page):
    """The cell below ran by itself, as marimo's cells do, and Python has the tokens."""
    expect(page.get_by_text(f"The API knows {ADA}.")).to_be_visible()


def signs_in(folder, command, context, way, provider, iap_api, scan, page_elsewhere):
    """Both keep files beside notebooks, the editor its sessions, too: everything in the folder is scanned."""
    if isinstance(way, PageElsewhere):
        way.page = page_elsewhere.origin + CALLBACK
    source = scan.log_everything + way.make_widget(provider)
    with Marimo(folder, command, source, iap_api) as server:
        page_elsewhere.origins = [server.origin]
        page = show(context, server)
        milliseconds = way.sign_in(Widget(page), ADA)
        expect_answer(page)
        assert scan.find(page, server.origin, way.secrets, echoes=True) == []
    return milliseconds


@ways(*EVERYWHERE, KernelExchange(), PageElsewhere())
@pytest.mark.host("marimo run")
def test_run(tmp_path, context, way, provider, iap_api, scan, page_elsewhere, record):
    record("signed in", signs_in(tmp_path, "run", context, way, provider, iap_api, scan, page_elsewhere))


@ways(*EVERYWHERE, PageElsewhere())
@pytest.mark.host("marimo edit")
def test_edit(tmp_path, context, way, provider, iap_api, scan, page_elsewhere, record):
    record("signed in", signs_in(tmp_path, "edit", context, way, provider, iap_api, scan, page_elsewhere))
