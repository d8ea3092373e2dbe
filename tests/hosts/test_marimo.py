"""marimo: the same notebook as an application, and open in its editor."""

from __future__ import annotations

import pytest
from e2e import leaks
from e2e.widget import Widget
from playwright.sync_api import expect

from hosts.marimo import Marimo
from hosts.ways import KernelExchange, Loopback, Paste, ways

ADA = "ada@example.com"


def show(context, server):
    page = context.new_page()
    page.goto(server.origin)
    return page


def expect_answer(page):
    """The cell below ran by itself, as marimo's cells do, and Python has the tokens."""
    expect(page.get_by_text(f"The API knows {ADA}.")).to_be_visible()


@ways(Loopback(), KernelExchange(), Paste())
@pytest.mark.host("marimo run")
def test_run(tmp_path, context, way, provider, iap_api, record):
    with Marimo(tmp_path, "run", way.make_widget(provider, provider.confidential), iap_api) as server:
        page = show(context, server)
        milliseconds = way.sign_in(Widget(page), ADA)
        expect_answer(page)
    record("signed in", milliseconds)


@pytest.mark.host("marimo edit")
def test_edit(tmp_path, context, way, provider, iap_api, record, traffic):
    """The editor keeps sessions beside notebooks: everything in its folder is scanned."""
    with Marimo(tmp_path, "edit", way.make_widget(provider, provider.confidential), iap_api) as server:
        page = show(context, server)
        milliseconds = way.sign_in(Widget(page), ADA)
        expect_answer(page)
        places = leaks.files(tmp_path) | leaks.pages(page, traffic)
        assert leaks.find(traffic.secrets(), places) == []
    record("signed in", milliseconds)
