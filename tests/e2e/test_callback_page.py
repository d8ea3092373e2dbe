"""The static callback page in Chromium: who gets the answer, and what is shown otherwise."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from servers.jupyter_server import JupyterServer
from servers.static_host import CALLBACK, NOTEBOOK, SEVERING, StaticHost

from e2e.browser import local_context
from e2e.waiting import PATIENCE_SECONDS

PATIENCE_MS = PATIENCE_SECONDS * 1000

OPEN = """
([url, state]) => {
  window.got = [];
  window.addEventListener('message', (event) => got.push(['message', event.origin, event.data]));
  window.channel = new BroadcastChannel('tokentoss/' + state);
  channel.onmessage = (event) => got.push(['channel', event.origin, event.data]);
  window.popup = window.open(url, '', 'popup,width=500,height=600');
}
"""
DONE = """'{"type":"done"}'"""


@pytest.fixture(scope="module")
def running_host() -> Iterator[StaticHost]:
    with StaticHost() as host:
        yield host


@pytest.fixture
def host(running_host: StaticHost) -> StaticHost:
    running_host.origins = ["self"]
    return running_host


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with local_context(browser) as context:
        yield context


class Attempt:
    """A notebook page whose popup comes back from the provider."""

    def __init__(self, context: BrowserContext, notebook: str, callback: str, **extra: str) -> None:
        self.state = secrets.token_urlsafe(32)
        self.query = f"code=the-code&state={self.state}" + "".join(
            f"&{name}={quote(value)}" for name, value in extra.items()
        )
        self.address = f"{callback}?{self.query}"
        self.notebook: Page = context.new_page()
        self.notebook.goto(notebook)
        self.complaints: list[str] = []
        context.on("console", self._note)
        context.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        with context.expect_page() as opened:
            self.notebook.evaluate(OPEN, [self.address, self.state])
        self.popup: Page = opened.value

    def _note(self, message: ConsoleMessage) -> None:
        # Chromium asks for an icon when it pleases, and static hosts need not have one.
        if not message.location["url"].endswith("/favicon.ico"):
            self.complaints.append(message.text)

    def got(self) -> list[list[str]]:
        found: list[list[str]] = self.notebook.evaluate("() => got")
        return found

    def wait_got(self, ways: int) -> list[list[str]]:
        self.notebook.wait_for_function("count => got.length >= count", arg=ways, timeout=PATIENCE_MS)
        return sorted(self.got())

    def wait_closed(self) -> None:
        if not self.popup.is_closed():
            self.popup.wait_for_event("close", timeout=PATIENCE_MS)

    def wait_paste(self) -> None:
        """The page gives up on an answer, and shows the whole address."""
        field = self.popup.get_by_role("textbox")
        expect(field).to_have_value(self.address, timeout=PATIENCE_MS)
        expect(self.popup.get_by_role("status")).to_contain_text("paste")
        assert self.popup.evaluate("() => location.search + location.hash") == "", "C23"

    def text(self) -> str:
        return f'{{"type":"callback","query":"{self.query}"}}'


def test_the_opener_lives(context: BrowserContext, host: StaticHost) -> None:
    """With its opener, the page sends the answer, clears its address and closes when told (C14, C16, C23)."""
    attempt = Attempt(context, host.origin + NOTEBOOK, host.origin + CALLBACK)
    channel, message = attempt.wait_got(2)
    assert channel == ["channel", host.origin, attempt.text()]
    assert message == ["message", host.origin, attempt.text()]
    assert attempt.popup.evaluate("() => location.pathname + location.search") == CALLBACK
    attempt.notebook.evaluate(f"() => popup.postMessage({DONE}, location.origin)")
    attempt.wait_closed()
    assert attempt.complaints == []


def test_the_opener_is_lost(context: BrowserContext, host: StaticHost) -> None:
    """Without its opener, the page sends the answer by the same-origin channel and closes (C18, C20)."""
    attempt = Attempt(context, host.origin + NOTEBOOK, host.origin + SEVERING)
    assert attempt.wait_got(1) == [["channel", host.origin, attempt.text()]]
    attempt.popup.wait_for_url(host.origin + CALLBACK)
    assert attempt.popup.evaluate("() => window.opener === null")
    attempt.notebook.evaluate(f"() => channel.postMessage({DONE})")
    attempt.wait_closed()


def test_a_notebook_of_another_origin_that_is_allowed(context: BrowserContext, host: StaticHost) -> None:
    host.origins = ["https://hub.example.com", host.other_origin]
    attempt = Attempt(context, host.other_origin + NOTEBOOK, host.origin + CALLBACK)
    assert attempt.wait_got(1) == [["message", host.origin, attempt.text()]]
    attempt.notebook.evaluate(f"() => popup.postMessage({DONE}, '*')")
    attempt.wait_closed()


@pytest.mark.parametrize("claim", [{}, {"origin": "x"}, {"redirect": "x"}])
def test_a_strange_opener_gets_nothing(
    context: BrowserContext, host: StaticHost, claim: dict[str, Any]
) -> None:
    """An opener of another origin neither gets the answer nor can close the page (C14)."""
    named = dict.fromkeys(claim, host.other_origin)
    attempt = Attempt(context, host.other_origin + NOTEBOOK, host.origin + CALLBACK, **named)
    attempt.notebook.evaluate(f"() => popup.postMessage({DONE}, '*')")
    attempt.notebook.evaluate(f"() => channel.postMessage({DONE})")
    attempt.wait_paste()
    assert attempt.got() == []
    assert not attempt.popup.is_closed()


def test_an_origin_that_is_not_the_configured_one(context: BrowserContext, host: StaticHost) -> None:
    """An opener whose port or scheme differs from the configured origin gets nothing (C15)."""
    host.origins = [host.origin.replace("http:", "https:"), "http://127.0.0.1:1"]
    attempt = Attempt(context, host.origin + NOTEBOOK, host.origin + CALLBACK)
    assert attempt.wait_got(1) == [["channel", host.origin, attempt.text()]]
    attempt.notebook.evaluate(f"() => popup.postMessage({DONE}, '*')")
    attempt.wait_paste()
    assert len(attempt.got()) == 1


def test_copying_the_address(context: BrowserContext, host: StaticHost) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    attempt = Attempt(context, host.other_origin + NOTEBOOK, host.origin + CALLBACK)
    attempt.wait_paste()
    attempt.popup.get_by_role("button", name="Copy").click()
    expect(attempt.popup.get_by_role("button", name="Copied")).to_be_visible()
    assert attempt.popup.evaluate("() => navigator.clipboard.readText()") == attempt.address


def test_an_answer_after_the_paste_was_offered(context: BrowserContext, host: StaticHost) -> None:
    attempt = Attempt(context, host.origin + NOTEBOOK, host.origin + CALLBACK)
    attempt.wait_paste()
    attempt.notebook.evaluate(f"() => channel.postMessage({DONE})")
    attempt.wait_closed()


STATE = "a" * 43
HOSTILE = [
    "",
    "code=x",
    f"state={STATE}",
    f"code=x&state={STATE}&state={'b' * 43}",
    "code=x&state=short",
    f"code=x&state={quote('<img src=x onerror=alert(1)>' + STATE)}",
    f"code=x&state={STATE}/../{STATE}",
    "code=x&state=" + "a" * 600,
    f"code={'x' * 40_000}&state={STATE}",
]


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_answer_goes_nowhere(context: BrowserContext, host: StaticHost, query: str) -> None:
    """A query that is no valid answer is not passed on and leaves the address bar (C22, C24, C32)."""
    attempt = Attempt(context, host.origin + NOTEBOOK, host.origin + CALLBACK)
    attempt.wait_got(2)
    attempt.popup.goto(f"{host.origin}{CALLBACK}?{query}")
    expect(attempt.popup.get_by_role("status")).to_contain_text("Start from your notebook.")
    assert attempt.popup.evaluate("() => location.search") == ""
    assert len(attempt.got()) == 2
    assert attempt.complaints == []


def test_text_of_the_provider_is_never_markup(context: BrowserContext, host: StaticHost) -> None:
    """Markup in the provider's error text is not rendered, and the policy is not violated (C22)."""
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>"
    attempt = Attempt(
        context, host.other_origin + NOTEBOOK, host.origin + CALLBACK, error="x", error_description=markup
    )
    attempt.wait_paste()
    assert attempt.popup.locator("img, svg:not(.icon)").count() == 0
    refused = [text for text in attempt.complaints if "target origin" not in text]
    assert refused == []


@pytest.fixture(scope="module", params=["/", "/user/ada/"])
def jupyter(request, tmp_path_factory) -> Iterator[JupyterServer]:
    with JupyterServer(tmp_path_factory.mktemp("jupyter"), request.param) as server:
        server.base_url = request.param
        yield server


def test_jupyter_serves_it_below_its_base_url(jupyter: JupyterServer) -> None:
    """Jupyter serves the page below its base URL, without a login (C19, C21)."""
    address = f"{jupyter.origin}{jupyter.base_url}tokentoss/callback?code=very-secret-code&state={STATE}"
    answer = requests.get(address, timeout=60, allow_redirects=False)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
    assert "Cross-Origin-Opener-Policy" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert requests.post(address.partition("?")[0], timeout=60).status_code in {403, 405}
    assert "very-secret-code" not in jupyter.log
    assert "very-secret-code" not in answer.text


@pytest.mark.parametrize("severed", [False, True])
def test_jupyter_reaches_its_own_pages(
    context: BrowserContext, jupyter: JupyterServer, severed: bool
) -> None:
    """The answer reaches a page of the same server, with and without an opener."""
    callback = f"{jupyter.origin}{jupyter.base_url}tokentoss/callback"
    if severed:
        context.route(f"{jupyter.origin}/severing*", _sever(callback))
    target = f"{jupyter.origin}/severing" if severed else callback
    attempt = Attempt(context, f"{jupyter.origin}{jupyter.base_url}api", target)
    got = attempt.wait_got(1 if severed else 2)
    assert ["channel", jupyter.origin, attempt.text()] in got
    attempt.notebook.evaluate(f"() => channel.postMessage({DONE})")
    attempt.wait_closed()


def _sever(callback: str):
    def answer(route) -> None:
        route.fulfill(
            headers={"Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html"},
            body=f"<script>location.replace({callback!r} + location.search)</script>",
        )

    return answer
