"""Voila, with its default policy and with a strict Content-Security-Policy."""

from __future__ import annotations

import pytest
from e2e import kernel_messages
from e2e.browser import local_context
from e2e.widget import Widget
from playwright.sync_api import expect
from servers.static_host import CALLBACK

from hosts import cells
from hosts.voila import FONTS, Voila
from hosts.ways import EVERYWHERE, Code, KernelExchange, Link, Loopback, PageElsewhere, PastedLink, ways

ADA = "ada@example.com"
POLICY = (
    "default-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src *; "
    "script-src 'self' 'unsafe-inline' blob:"
)


@pytest.fixture
def context(browser):
    with local_context(browser, names={FONTS}) as context:
        kernel_messages.record(context)
        yield context


def signs_in(context, server, way, scan, page_elsewhere):
    page_elsewhere.origins = [server.origin]
    page = context.new_page()
    page.goto(server.origin)
    milliseconds = way.sign_in(Widget(page), ADA)
    expect(page.get_by_text(f"The API knows {ADA}.")).to_be_visible()
    assert scan.find(page, server.origin, way.secrets, readable=way.readable) == []
    return milliseconds


@pytest.fixture
def source(way, provider, iap_api, scan, page_elsewhere):
    if isinstance(way, PageElsewhere):
        way.page = page_elsewhere.origin + CALLBACK
    return [scan.log_everything + way.show_widget(provider), cells.show_answer(iap_api)]


@ways(*EVERYWHERE, KernelExchange(), PageElsewhere())
@pytest.mark.host("Voila")
def test_signs_in(tmp_path, context, way, source, scan, page_elsewhere, record):
    with Voila(tmp_path, source) as server:
        record("signed in", signs_in(context, server, way, scan, page_elsewhere))


@ways(*EVERYWHERE, PageElsewhere())
@pytest.mark.host("Voila, hardened Content-Security-Policy with 'wasm-unsafe-eval'")
def test_signs_in_under_a_policy(tmp_path, context, way, source, scan, page_elsewhere, record):
    with Voila(tmp_path, source, policy=f"{POLICY} 'wasm-unsafe-eval'") as server:
        record("signed in", signs_in(context, server, way, scan, page_elsewhere))


@ways(Loopback())
@pytest.mark.host("Voila, hardened Content-Security-Policy without 'wasm-unsafe-eval'")
def test_says_what_is_forbidden(tmp_path, context, way, source, scan, record):
    """The widget names the policy that forbids WebAssembly, and its button is disabled."""
    with Voila(tmp_path, source, policy=POLICY) as server:
        page = context.new_page()
        page.goto(server.origin)
        widget = Widget(page)
        widget.wait_status("security policy forbids WebAssembly")
        expect(widget.status).to_contain_text("'wasm-unsafe-eval'")
        expect(widget.sign_in_button).to_be_disabled()
        assert scan.find(page, server.origin, ()) == []
    record("`webassembly_unavailable`: the sentence names the policy and what to allow")


@ways(Link(), PastedLink(), Code())
@pytest.mark.host("Voila, hardened Content-Security-Policy without 'wasm-unsafe-eval'")
def test_signs_in_without_webassembly(tmp_path, context, way, source, scan, page_elsewhere, record):
    """A sign-in works on a page whose policy forbids WebAssembly."""
    with Voila(tmp_path, source, policy=POLICY) as server:
        record("signed in", signs_in(context, server, way, scan, page_elsewhere))
