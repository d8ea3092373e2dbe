"""Every page of the sign-in window in every state; the test plays notebook and listener."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tokentoss.callback.pages import (
    callback_page,
    end_page,
    link_used,
    not_signed_in,
    nothing_to_do,
    refusal_page,
    signed_in,
    start_page,
)
from tokentoss.callback.static_page import static_page, static_page_headers
from tokentoss.error_codes import sentence

from looks.pages_of_broker import SIGN_IN, kept_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import BrowserContext, Page, Route

NOTEBOOK = "http://localhost:9"
LISTENER = "http://127.0.0.1:9"
SEVERING = f"{LISTENER}/severing"
START = "/tokentoss/start"
STATE = "s" * 43
LONG = "Verein-für-außerordentlich-lange-Anbieterbezeichnungen-GmbH <b>&amp;</b>"
ACCOUNT = "a-person-with-a-long-name.and-no-break@department.university.example"

ASKED = {
    "confirm": "token",
    "provider": LONG,
    "account": ACCOUNT,
    "client_id": "123456789012-abcdefghijklmnopqrstuvwxyz012345.apps.googleusercontent.com",
    "scopes": ["openid", "email", "https://www.googleapis.com/auth/cloud-platform"],
}
# The notebook page opens the popup, and says what the scene has it say, as often as it is asked.
OPEN = """([url, said]) => {
  window.addEventListener('message', ({ source, origin }) => {
    for (const one of said) source.postMessage(one, origin);
  });
  window.popup = window.open(url, '', 'popup,width=500,height=640');
}"""
STAY = """{
  const close = window.close.bind(window);
  window.stays = true;
  window.close = () => { if (!window.stays) close(); };
}"""
BY_STARTING = json.dumps({"type": "start", "ticket": "ticket", "key": "key", "sealed": "sealed"})
BY_ENVELOPE = json.dumps({"type": "envelope", "sealed": "sealed"})
DONE = json.dumps({"type": "done"})
HERE = {"tokentoss": "broker", "id": SIGN_IN, "kind": "here"}

Answer = tuple[int, Mapping[str, Any]] if TYPE_CHECKING else tuple


@dataclass(frozen=True)
class Scene:
    """A page in a state.

    Attributes:
        heading: What its heading and its title say.
        page: The document and its headers.
        path: Its address at the listener.
        answers: What the listener answers the page's own requests; nobody answers others.
        said: What the notebook page says.
        severed: Whether the window has lost its opener on the way.
        minutes: How far the clock is put forward.
        click: The button that the user clicks.
        status: The status of the page.
        locale: The browser's language.
    """

    heading: str
    page: tuple[bytes, Mapping[str, str]]
    path: str = START
    answers: Mapping[str, Answer] = field(default_factory=dict)
    said: tuple[Any, ...] = ()
    severed: bool = False
    minutes: float = 0
    click: str = ""
    status: int = 200
    locale: str = "en-US"


def _start(heading: str, *, locale: str = "en-US", **more: Any) -> Scene:
    more = {"path": f"{START}#ticket.key", "locale": locale} | more
    return Scene(heading, start_page(locale[:2]), **more)


def _callback(heading: str, query: str = "code=c", *, locale: str = "en-US", **more: Any) -> Scene:
    page = callback_page("token", NOTEBOOK, LONG, locale[:2])
    return Scene(heading, page, f"/?{query}&state={STATE}", locale=locale, **more)


def _static(heading: str, query: str = "code=c", **more: Any) -> Scene:
    page = (static_page([NOTEBOOK]).encode(), static_page_headers())
    return Scene(heading, page, f"/tokentoss/callback?{query}&state={STATE}", **more)


def _broker(heading: str, name: str, **more: Any) -> Scene:
    return Scene(heading, kept_page(name, NOTEBOOK), **({"path": "/callback?code=c"} | more))


def _refused(heading: str, message: Any, status: int) -> Scene:
    return Scene(heading, refusal_page(message), "/?code=c", status=status)


_REGISTER, _WHERE, _RELAY, _DELIVER = (
    f"/tokentoss/{name}" for name in ("register", "where", "relay", "deliver")
)
_HERE = f"/connect/{SIGN_IN}/here"
_QUESTION = "Do you want to sign in from this page?"
_ASKS = {_REGISTER: (200, ASKED)}
_OVER = (403, {"code": "ticket_unknown"})
_BACK = "Back to your notebook"
_INVITES = "Sign in with \u2068Example\u2069?"

SCENES = {
    "start, going on": _start("Going to the sign-in page…"),
    "start, asking": _start(_QUESTION, answers=_ASKS, said=(BY_STARTING,)),
    "start, no": _start("Not signed in", answers=_ASKS, said=(BY_STARTING,), click="No"),
    "start, refused": _start(
        "Not signed in", answers={_REGISTER: (403, {"code": "page_origin_opaque"})}, said=(BY_STARTING,)
    ),
    "start, nobody answers": _start("Not signed in", minutes=1),
    "start, lost": _start("Not signed in", path=START, severed=True),
    "start, over": _start("Not signed in", answers={_WHERE: _OVER}, severed=True),
    "start, kernel gone": _start("Not signed in", severed=True, minutes=0.1),
    "start, kernel busy": _start(
        "Waiting for your notebook…", answers={_WHERE: (200, {"url": None})}, severed=True, minutes=0.2
    ),
    "callback, signing in": _callback("Signing in…"),
    "callback, signed in": _callback(
        "Signed in", answers={_DELIVER: (200, {"code": ""})}, said=(BY_ENVELOPE,)
    ),
    "callback, not taken": _callback(
        "Not signed in", answers={_DELIVER: (200, {"code": "id_token_nonce_mismatch"})}, said=(BY_ENVELOPE,)
    ),
    "callback, passed on": _callback(_BACK, answers={_RELAY: (200, {"code": ""})}, severed=True),
    "callback, over": _callback("Not signed in", answers={_RELAY: _OVER}, severed=True),
    "callback, kernel gone": _callback("Not signed in", severed=True),
    "callback, denied": _callback("Not signed in", "error=access_denied", said=(DONE,)),
    "callback, unknown error": _callback("Not signed in", "error=<b>x</b>", said=(DONE,)),
    "static, nothing to do": _static("Nothing to do here", "x=y"),
    "static, signing in": _static("Signing in…"),
    "static, to be copied": _static("One more step", minutes=0.1),
    "static, done": _static(_BACK, said=(DONE,)),
    "static, server error": _static("Not signed in", "error=server_error", said=(DONE,)),
    "end, signed in": Scene("Signed in", end_page(signed_in(LONG, ACCOUNT, "en")), "/?code=c"),
    "end, not signed in": Scene(
        "Not signed in",
        end_page(not_signed_in(sentence("access_denied"), "access_denied", "en")),
        "/?code=c",
        status=400,
    ),
    "refused, nothing to do": _refused("Nothing to do here", nothing_to_do("en"), 404),
    "refused, link used": _refused("This link has been used", link_used("en"), 404),
    "refused, another sign-in": _refused(
        "Not signed in", not_signed_in(sentence("state_mismatch"), "state_mismatch", "en"), 400
    ),
    "start, asking in German": _start(
        "Möchten Sie sich von dieser Seite aus anmelden?", locale="de-AT", answers=_ASKS, said=(BY_STARTING,)
    ),
    "start, kernel busy in German": _start(
        "Warten auf Ihr Notebook…",
        locale="de-AT",
        answers={_WHERE: (200, {"url": None})},
        severed=True,
        minutes=0.2,
    ),
    "callback, signed in in German": _callback(
        "Angemeldet", locale="de-AT", answers={_DELIVER: (200, {"code": ""})}, said=(BY_ENVELOPE,)
    ),
    "static, to be copied in German": _static("Noch ein Schritt", locale="de-AT", minutes=0.1),
    "broker, invitation": _broker(_INVITES, "invitation", path=f"/connect/{SIGN_IN}"),
    "broker, invitation with a choice": _broker(_INVITES, "invitation_choice", path=f"/connect/{SIGN_IN}"),
    "broker, invitation for another account": _broker(
        _INVITES, "invitation_another", path=f"/connect/{SIGN_IN}"
    ),
    "broker, waiting": _broker("Signing in…", "returned"),
    "broker, one more step": _broker("One more step", "returned", severed=True),
    "broker, signed in": _broker("Signed in", "returned", answers={_HERE: (204, {})}, said=(HERE,)),
    "broker, interrupted": _broker("Not signed in", "returned", answers={_HERE: (410, {})}, said=(HERE,)),
    "broker, refused": _broker("Not signed in", "refused"),
    "broker, unknown": _broker("Not signed in", "unknown", path=f"/connect/{SIGN_IN}", status=404),
    "broker, invitation in German": _broker(
        "Mit \u2068Example\u2069 anmelden?", "invitation_german", path=f"/connect/{SIGN_IN}"
    ),
    "broker, waiting in German": _broker("Anmeldung läuft…", "returned_german"),
    "broker, one more step in German": _broker("Noch ein Schritt", "returned_german", severed=True),
    "broker, signed in, in German": _broker(
        "Angemeldet", "returned_german", answers={_HERE: (204, {})}, said=(HERE,)
    ),
    "broker, interrupted in German": _broker(
        "Nicht angemeldet", "returned_german", answers={_HERE: (410, {})}, said=(HERE,)
    ),
    "broker, refused in German": _broker("Nicht angemeldet", "refused_german"),
}


def show(context: BrowserContext, scene: Scene) -> Page:
    """Show a scene in a popup, which no script closes while it `stays`."""
    page = _popup(context, scene)
    page.locator("h1", has_text=scene.heading).filter(visible=True).wait_for()
    return page


def _popup(context: BrowserContext, scene: Scene) -> Page:
    context.route(f"{NOTEBOOK}/**", _notebook)
    context.route(f"{LISTENER}/**", lambda route: _listener(route, scene))
    context.add_init_script(STAY)
    if scene.minutes:
        context.clock.install()
    notebook = context.new_page()
    notebook.goto(f"{NOTEBOOK}/")
    address = f"{LISTENER}{scene.path}"
    with context.expect_page() as opened:
        # The fragment survives the way through the provider.
        url = SEVERING + scene.path.removeprefix(urlsplit(address).path) if scene.severed else address
        notebook.evaluate(OPEN, [url, list(scene.said)])
    page = opened.value
    if scene.severed:
        page.wait_for_url(lambda url: "severing" not in url)
    page.locator("main").wait_for()
    if scene.minutes:
        for _ in range(10):
            context.clock.run_for(scene.minutes * 6000)
    if scene.click:
        button = page.get_by_role("button", name=scene.click, exact=True)
        button.click()
    return page


def _notebook(route: Route) -> None:
    route.fulfill(body="<!doctype html><title>Notebook</title>", content_type="text/html")


def _listener(route: Route, scene: Scene) -> None:
    path = urlsplit(route.request.url).path
    if path == urlsplit(SEVERING).path:
        target = urlsplit(scene.path).path
        route.fulfill(
            body=f"<script>location.replace({target!r} + location.search + location.hash)</script>",
            headers={"Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html"},
        )
    elif route.request.method == "POST":
        if path in scene.answers:
            status, content = scene.answers[path]
            route.fulfill(status=status, body=json.dumps(content), content_type="application/json")
        else:
            route.abort()
    elif path == urlsplit(scene.path).path:
        content, headers = scene.page
        route.fulfill(status=scene.status, body=content, headers=dict(headers))
    else:
        route.fulfill(status=404)
