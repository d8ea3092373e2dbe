"""The pages of a sign-in as documents: one template, strict headers, and escaped text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from page import Page, Reply, send
from tokentoss import error_codes, texts
from tokentoss.callback import routes
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
from tokentoss.callback.peers import Peer
from tokentoss.callback.static_page import static_page, static_page_headers
from tokentoss.handoff.kernel_sign_in import BEGIN_PATH

MARKUP = '</h1><script>alert(1)</script><img src=x onerror="alert(2)">$style\u202e'
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec_Fetch_Mode": "navigate"}
SCRIPTED = {
    "start": start_page("en"),
    "callback": callback_page(MARKUP, "https://hub.example", MARKUP, "en"),
    "signed in": end_page(signed_in(MARKUP, MARKUP, "en")),
    "signed in, without a name": end_page(signed_in("Google", None, "en")),
    "not signed in": end_page(not_signed_in(MARKUP, "access_denied", "en")),
}
REFUSALS = {
    "nothing to do": refusal_page(nothing_to_do("en")),
    "a used link": refusal_page(link_used("en")),
    "an answer that is refused": refusal_page(not_signed_in(MARKUP, MARKUP, "en")),
}
STATIC = {"static": (static_page(["https://hub.example"]).encode(), static_page_headers())}
VOID = {"meta", "circle", "path", "img"}
"""Elements of our pages without an end."""


class Document(HTMLParser):
    """A page whose elements all end where they should."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: dict[str, list[dict[str, Any]]] = {}
        self.texts: dict[str, list[str]] = {}
        assert text.startswith("<!doctype html>\n")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes.setdefault(tag, []).append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(text)


@pytest.mark.parametrize("name", [*SCRIPTED, *REFUSALS, *STATIC])
def test_one_template(name: str) -> None:
    """All pages have the same structure, and text of others adds no markup or style."""
    content, headers = (SCRIPTED | REFUSALS | STATIC)[name]
    text = content.decode()
    page = Document(text)
    assert page.attributes["html"] == [{"lang": "en", "dir": "ltr"}]
    assert page.attributes["main"][0]["data-outcome"] in {"waiting", "done", "failed", "note"}
    (title,) = page.texts["title"]
    assert page.texts["h1"][0] == title
    assert len(page.attributes["svg"]) == 1
    assert page.attributes["svg"][0]["aria-hidden"] == "true"
    assert "img" not in page.attributes
    named = {name for found in page.attributes.values() for one in found for name in one}
    assert not [name for name in named if name == "style" or name.startswith("on")]
    assert text.count("color-scheme: light dark") == 1, "what foreign text asks for is not filled in"
    assert "https://" not in text.replace("https://hub.example", "")
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", SCRIPTED)
def test_the_policy_of_pages_with_a_script(name: str) -> None:
    """A page with a script has a policy that allows its one nonce and no framing (C21)."""
    content, headers = SCRIPTED[name]
    page = Document(content.decode())
    nonces = {one["nonce"] for tag in ("style", "script") for one in page.attributes[tag]}
    (nonce,) = nonces
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_run_nothing(name: str) -> None:
    content, headers = REFUSALS[name]
    page = Document(content.decode())
    assert {"script", "button"}.isdisjoint(page.attributes)
    nonce = page.attributes["style"][0]["nonce"]
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def test_names_change_no_direction_of_writing() -> None:
    """Names of providers and accounts are isolated and stripped of control characters."""
    sentence = signed_in("Evil\u202e\nname", "א" * 300, "en").sentence
    assert "\u202e" not in sentence
    assert "\n" not in sentence
    assert sentence.startswith("You're signed in with \u2068Evil name\u2069 as \u2068א")
    assert len(sentence) < 400
    data = json.loads(re.findall(r'id="page"[^>]*>(.*?)</script>', SCRIPTED["callback"][0].decode())[0])
    assert data["provider"].startswith("\u2068</h1>")
    assert data["provider"].endswith("\u2069")


def headings(reply: Reply) -> list[str]:
    return Document(reply.text).texts["h1"]


def test_people_read_pages_and_programs_read_lines(page: Page) -> None:
    """Browsers get HTML and programs plain text, with equal status and headers."""
    for target, status in (("/nowhere", 404), ("//", 404), (f"{page.path}?code=c", 400)):
        shown = send(page.listener, "GET", target, **BROWSER)
        told = send(page.listener, "GET", target)
        assert (shown.status, told.status) == (status, status)
        assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
        assert told.headers["Content-Type"] == "text/plain; charset=utf-8"
        for reply in (shown, told):
            assert reply.headers["Cache-Control"] == "no-store"
            assert reply.headers["Referrer-Policy"] == "no-referrer"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert "Cross-Origin-Opener-Policy" not in reply.headers
        assert "script-src" not in shown.headers["Content-Security-Policy"]
        assert "<" not in told.text


def test_what_refusals_say(page: Page) -> None:
    nowhere = send(page.listener, "GET", "/nowhere?code=secret-code", **BROWSER)
    assert headings(nowhere) == ["Nothing to do here"]
    assert "Start from your notebook." in nowhere.text
    assert "secret-code" not in nowhere.text
    used = send(page.listener, "GET", f"{BEGIN_PATH}?spent", **BROWSER)
    assert (used.status, headings(used)) == (404, ["This link has been used"])
    foreign = send(page.listener, "GET", "/tokentoss/start", Host="evil.example", **BROWSER)
    assert (foreign.status, headings(foreign)) == (403, ["Nothing to do here"])
    strange = page.callback("code=secret-code&state=%3Cimg%3E", **BROWSER)
    assert (strange.status, headings(strange)) == (400, ["Not signed in"])
    assert Document(strange.text).texts["code"] == ["state_mismatch"]
    assert error_codes.sentence("state_mismatch") in strange.text.replace("&#x27;", "'")
    assert "secret-code" not in strange.text


def test_scripts_are_answered_for_scripts(page: Page) -> None:
    """Requests of scripts are answered in JSON or plain text, whatever they accept."""
    members = {"ticket": "unknown", "key": "x"}
    reply = send(page.listener, "POST", "/tokentoss/where", members, **BROWSER)
    assert (reply.status, reply.json()) == (403, {"code": "ticket_unknown"})
    assert reply.headers["Content-Type"] == "application/json"
    posted = send(page.listener, "POST", "/tokentoss/start", members, **BROWSER)
    assert (posted.status, posted.headers["Content-Type"]) == (405, "text/plain; charset=utf-8")


def test_another_user_reads_why(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "peer_of", lambda _connection: Peer.OTHER_USER)
    shown = send(page.listener, "GET", "/tokentoss/start", **BROWSER)
    assert (shown.status, headings(shown)) == (403, ["Not signed in"])
    assert Document(shown.text).texts["code"] == ["peer_of_another_user"]
    told = send(page.listener, "GET", "/tokentoss/start")
    assert (told.status, told.json()) == (403, {"code": "peer_of_another_user"})


@pytest.mark.parametrize("name", ["page.css", "icon.svg", "outcome.js"])
def test_the_pages_of_the_broker_look_alike(name: str) -> None:
    """The broker's templates are the same as the package's."""
    root = Path(__file__).parents[2]
    broker = root / "crates" / "tokentoss-broker" / "templates" / name
    assert broker.read_text() == (root / "python" / "tokentoss" / "callback" / name).read_text()


def language_of(reply: Reply) -> str:
    (html,) = Document(reply.text).attributes["html"]
    return str(html["lang"])


def test_pages_speak_the_language_of_the_browser(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    german = BROWSER | {"Accept_Language": "de-AT,de;q=0.9,en;q=0.5"}
    start = send(page.listener, "GET", "/tokentoss/start", **german)
    assert (language_of(start), headings(start)[0]) == ("de", "Weiter zur Anmeldeseite…")
    (said,) = re.findall(r'id="texts"[^>]*>(.*?)</script>', start.text)
    assert json.loads(said) == texts.texts_in("de")["pages"]
    nowhere = send(page.listener, "GET", "/nowhere", **german)
    assert (language_of(nowhere), headings(nowhere)) == ("de", ["Hier ist nichts zu tun"])
    strange = page.callback("code=c&state=another-sign-in-s-state", **german)
    assert "Diese Antwort gehört zu einer anderen Anmeldung." in strange.text
    assert "Code:" in strange.text
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "en")
    assert language_of(send(page.listener, "GET", "/tokentoss/start", **german)) == "en"
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    assert language_of(send(page.listener, "GET", "/nowhere", **BROWSER)) == "de"


def test_the_static_page_holds_the_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    def held() -> list[str]:
        (said,) = re.findall(r'id="texts">(.*?)</script>', static_page(["https://hub.example"]))
        return list(json.loads(said))

    assert held() == list(texts.languages())
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    assert held() == ["de"]
    assert '<html lang="de" dir="ltr">' in static_page(["https://hub.example"])


def test_no_text_of_the_pages_is_dead_or_missing() -> None:
    root = Path(__file__).parents[2]
    kernel, broker = root / "python/tokentoss/callback", root / "crates/tokentoss-broker"
    scripts = "".join(path.read_text() for path in kernel.glob("*.js"))
    ours = scripts + "".join(path.read_text() for end in ("py", "html") for path in kernel.glob(f"*.{end}"))
    shared = "".join(path.read_text() for path in (*broker.rglob("src/**/*.rs"), *broker.glob("templates/*")))
    said = texts.texts_in("en")["pages"]

    def is_said(name: str) -> bool:
        in_rust = re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
        return bool(re.search(rf"""[.$"]{name}\b""", ours) or re.search(rf"\b({name}|{in_rust})\b", shared))

    assert [name for name in said if not is_said(name)] == []
    assert set(re.findall(r"\btexts\.(\w+)", scripts)) <= set(said)
