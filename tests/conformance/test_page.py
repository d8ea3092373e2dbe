"""What a sign-in by popup does to the page around it, and what pages around it do to the sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e.browser import launch, local_context
from playwright.sync_api import BrowserContext, Frame, Page, Request, sync_playwright
from servers.certificates import CertificateAuthority
from tokentoss import AuthManager, ClientConfig, MemoryStorage
from tokentoss import Provider as ProviderData

from .bridge import Bridge
from .faults import Faults
from .page_sign_in import sign_in
from .provider import CLIENT_ID, CLIENT_SECRET, Provider, Registration


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def context(stack: ExitStack) -> BrowserContext:
    browser = launch(stack.enter_context(sync_playwright()))
    stack.callback(browser.close)
    return stack.enter_context(local_context(browser))


@pytest.fixture
def bridge(stack: ExitStack) -> Bridge:
    return stack.enter_context(Bridge())


@pytest.fixture
def manager(stack: ExitStack) -> AuthManager:
    provider = stack.enter_context(Provider(Registration(), Faults()))
    return AuthManager(
        client_config=ClientConfig(CLIENT_ID, CLIENT_SECRET),
        provider=ProviderData.discover(provider.issuer),
        storage=MemoryStorage(),
    )


def test_the_page_only_navigates_the_popup(
    context: BrowserContext, bridge: Bridge, manager: AuthManager
) -> None:
    """The notebook page sends the loopback listener no request and creates no frame (C34, C37)."""
    pages: list[Page] = []
    frames: list[Frame] = []
    requests: list[Request] = []

    # Playwright marks the functions that it is given, which a list's own method does not allow.
    def note_frame(frame: Frame) -> None:
        frames.append(frame)

    def note_request(request: Request) -> None:
        requests.append(request)

    def watch(page: Page) -> None:
        pages.append(page)
        page.on("frameattached", note_frame)
        page.on("request", note_request)

    context.on("page", watch)
    assert sign_in(context, bridge, manager) is None
    notebook, *popups = pages
    assert len(popups) == 1
    assert frames == []
    asked = [request.url for request in requests if request.frame.page is notebook]
    allowed = (bridge.url, manager.provider.token_endpoint, "blob:")
    assert asked, "the recorder works"
    assert [url for url in asked if not url.startswith(allowed)] == []
    # What the popup's own pages ask the listener for is of their own origin.
    listener = [request for request in requests if "/tokentoss/" in request.url]
    assert {request.frame.page for request in listener} == set(popups)


def test_a_public_page_with_a_listener_on_loopback(
    stack: ExitStack, bridge: Bridge, manager: AuthManager
) -> None:
    """A page on a public address may navigate a popup to loopback, but not fetch from it (C34)."""
    public = [urlsplit(bridge.url).port, urlsplit(manager.provider.issuer).port]
    overrides = ",".join(f"127.0.0.1:{port}=public" for port in public)
    browser = launch(
        stack.enter_context(sync_playwright()), flags=[f"--ip-address-space-overrides={overrides}"]
    )
    stack.callback(browser.close)
    context = stack.enter_context(local_context(browser))
    assert sign_in(context, bridge, manager) is None
    elsewhere = stack.enter_context(Provider(Registration(), Faults()))
    page = context.new_page()
    page.goto(bridge.host_url)
    ask = "url => fetch(url).then(response => response.status, error => error.name)"
    assert page.evaluate(ask, f"{elsewhere.issuer}/jwks") == "TypeError"
    assert page.evaluate(ask, f"{manager.provider.issuer}/jwks") == 200
    assert elsewhere.calls == []


def test_a_page_over_https(stack: ExitStack, tmp_path: Path, manager: AuthManager) -> None:
    """A page over https signs in through a popup on plain-http loopback (C36)."""
    certificate = CertificateAuthority(tmp_path).issue("localhost", "127.0.0.1")
    bridge = stack.enter_context(Bridge(certificate))
    browser = launch(stack.enter_context(sync_playwright()))
    stack.callback(browser.close)
    context = stack.enter_context(local_context(browser, ignore_https_errors=True))
    assert bridge.url.startswith("https:")
    assert sign_in(context, bridge, manager) is None
    assert manager.userinfo()["sub"] == manager.token_data.subject


def test_a_page_in_a_frame_of_another_origin(
    context: BrowserContext, bridge: Bridge, manager: AuthManager
) -> None:
    """A widget in a frame of another origin receives its answer and signs in (C26)."""
    assert sign_in(context, bridge, manager, framed=True) is None
    assert manager.userinfo()["sub"] == manager.token_data.subject
