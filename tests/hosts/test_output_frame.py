"""Output frames of another origin or without popups, as hosts use them that cannot run here.

The built front end runs in them, its model carried over HTTP to a widget in this process.
"""

from __future__ import annotations

import json
import logging
import re
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from conformance.bridge import Bridge
from e2e import leaks, popup
from e2e.widget import Widget
from playwright.sync_api import expect
from servers.scripted_login import follow_to_callback
from tokentoss import AuthManager, AuthWidget, ClientConfig, IAPClient, MemoryStorage, Provider

from hosts.ways import Loopback

ADA = "ada@example.com"
# The attributes and the policy of VS Code's webviews, as far as they matter to scripts and windows.
WEBVIEW = "allow-scripts allow-same-origin allow-forms allow-pointer-lock allow-downloads"
WEBVIEW_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src data: blob: https:; font-src data: https:; connect-src http://localhost:* http://127.0.0.1:*"
)


class Paste(Loopback):
    """The address of the page that does not load, pasted."""

    name = "paste"


loopback = pytest.mark.parametrize("way", [Loopback()], ids=lambda way: way.name)
paste = pytest.mark.parametrize("way", [Paste()], ids=lambda way: way.name)


@pytest.fixture
def manager(provider):
    client = provider.confidential
    return AuthManager(
        client_config=ClientConfig(client.client_id, client.client_secret),
        provider=Provider.discover(provider.issuer),
        storage=MemoryStorage(),
    )


@contextmanager
def in_frame(context, manager, frame="", policy=""):
    """The widget in this process, and its view in a frame of another origin than the page around it."""
    with Bridge(frame=frame, policy=policy) as bridge:
        widget = AuthWidget(auth_manager=manager)
        bridge.show(widget)
        page = context.new_page()
        page.goto(bridge.host_url)
        view = Widget(page.frame_locator("iframe"))
        # Mice are the page's.
        view.page = page
        view.bridge = bridge
        yield widget, view
        widget.close()
        bridge.show(None)


@pytest.fixture
def expect_answer(manager, iap_api, provider, context, caplog):
    """The widget in Python has the tokens, the API answers, and no secret of the sign-in is left anywhere."""
    traffic = leaks.Traffic(context)
    # It prints every message, envelopes included.
    caplog.set_level(logging.INFO, logger="Comm")
    # The user's other browser is in this process, too, and its addresses hold the state.
    caplog.set_level(logging.INFO, logger="urllib3")
    caplog.set_level(logging.DEBUG)

    def expect_answer(widget, view):
        assert widget.is_authenticated
        api = IAPClient(base_url=iap_api.base_url, auth_manager=manager)
        assert api.get_json("/api/data")["email"] == ADA
        found = leaks.secrets(provider, traffic)
        logging.getLogger("tokentoss").debug("the log is kept")
        assert "the log is kept" in caplog.text
        said = {"messages of the widget": json.dumps(view.bridge.said), "state": repr(widget.get_state())}
        said |= {"log": caplog.text, "outputs": f"{widget!r} {manager!r} {manager.credentials!r}"}
        places = leaks.pages(view.page, traffic) | {name: text.encode() for name, text in said.items()}
        plain = {name: value for name, value in found.items() if name not in leaks.SEALED}
        posted = traffic.posted(view.bridge.url.rstrip("/"))
        assert posted, "the page's messages were not seen"
        assert leaks.find(found, places) + leaks.find(plain, {"messages to the kernel": posted}) == []

    return expect_answer


def take_link(view):
    """Copy the link to the sign-in page, as somebody does who opens it in another browser."""
    view.show_trouble()
    copy = view.root.get_by_role("button", name=re.compile("^(Copy link|Link copied)$"))
    view.click(copy)
    expect(copy).to_have_text("Link copied")
    return view.root.get_by_label("Sign-in link").input_value()


def give_address(view, address):
    view.paste_field.fill(address)
    view.click(view.root.get_by_role("button", name="Continue"))
    view.wait_status(f"Signed in as {ADA}")


def sign_in_by_paste(view):
    """Click where no window can open, finish in another browser, paste; returns the milliseconds it took."""
    view.wait_ready()
    started = time.perf_counter()
    view.click(view.sign_in_button)
    view.wait_status("Your browser blocked the popup.")
    expect(view.link).to_be_visible()
    give_address(view, follow_to_callback(take_link(view), ADA))
    return (time.perf_counter() - started) * 1000


@loopback
@pytest.mark.host("Frame of another origin (simulates Colab)")
def test_another_origin(context, way, manager, expect_answer, record):
    with in_frame(context, manager) as (widget, view):
        milliseconds = way.sign_in(view, ADA)
        expect_answer(widget, view)
    record("signed in", milliseconds)


@paste
@pytest.mark.host("Frame of another origin, listener out of reach (simulates Colab)")
def test_another_origin_far_from_the_kernel(context, way, manager, expect_answer, record):
    """Without a reachable listener, the popup goes on to the provider by itself (C36)."""
    with in_frame(context, manager) as (widget, view):
        view.wait_ready()
        listener = urlsplit(widget.ticket["redirect_uri"])
        context.route(
            f"{listener.scheme}://{listener.netloc}/**", lambda route: route.abort("connectionrefused")
        )
        started = time.perf_counter()
        window = view.open_popup()
        with window.expect_request(
            lambda request: "code=" in request.url and "state=" in request.url
        ) as asked:
            popup.sign_in(window, ADA)
        give_address(view, asked.value.url)
        milliseconds = (time.perf_counter() - started) * 1000
        expect_answer(widget, view)
    record("signed in", milliseconds)


@paste
@pytest.mark.host("Frame of another origin without popups")
def test_another_origin_without_popups(context, way, manager, expect_answer, record):
    with in_frame(context, manager, 'sandbox="allow-scripts allow-same-origin"') as (widget, view):
        milliseconds = sign_in_by_paste(view)
        expect_answer(widget, view)
    record("after the sentence of `popup_blocked`, signed in", milliseconds)


@paste
@pytest.mark.host("Sandboxed frame with the policy of a webview (simulates VS Code)")
def test_webview(context, way, manager, expect_answer, record):
    with in_frame(context, manager, f'sandbox="{WEBVIEW}"', WEBVIEW_POLICY) as (widget, view):
        milliseconds = sign_in_by_paste(view)
        expect_answer(widget, view)
    record("after the sentence of `popup_blocked`, signed in", milliseconds)


@paste
def test_the_whole_state_of_the_kernel_takes_nothing_away(context, way, manager):
    """What was typed, and where, is still there after the kernel has sent every trait anew."""
    with in_frame(context, manager, 'sandbox="allow-scripts allow-same-origin"') as (widget, view):
        view.wait_ready()
        view.click(view.sign_in_button)
        view.wait_status("Your browser blocked the popup.")
        take_link(view)
        view.paste_field.fill("half an address")
        widget.send_state()
        widget.send({"type": "mark", "mark": "all seen"})
        page = view.page.frame_locator("iframe").locator("html")
        expect(page).to_have_attribute("data-mark", "all seen")
        expect(view.paste_field).to_have_value("half an address")
        expect(view.paste_field).to_be_focused()
