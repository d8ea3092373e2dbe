"""A start page without an opener asks the listener where to go on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from fake_provider import FakeProvider
from page import Page, Reply, send
from test_widget import customs, message
from tokentoss import AuthManager, AuthWidget
from tokentoss.handoff import registration
from tokentoss.handoff.registration import MAX_REGISTRATIONS, SETTLING
from tokentoss.handoff.sealing import RecipientKey
from tokentoss.util.base64url import b64url

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")

NOT_YET = (200, {"url": None})
OVER = (403, {"code": "state_mismatch"})
UNKNOWN = (403, {"code": "ticket_unknown"})
REFUSED = (403, {"code": "registration_refused"})


def said(reply: Reply) -> tuple[int, Any]:
    return reply.status, reply.json()


def test_it_learns_the_address_once_the_page_has_registered(widget: AuthWidget, page: Page) -> None:
    """The start page learns the address once the notebook page has registered (C18)."""
    assert said(page.where()) == NOT_YET
    assert said(page.where()) == NOT_YET, "asking changes nothing"
    message(widget, page.register_message())
    for _ in range(2):  # a start page that is opened twice is one attempt's
        reply = page.where()
        assert said(reply) == (200, {"url": page.url()})
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "no-referrer"


def test_a_kernel_that_was_busy_hears_of_all_attempts_first(
    widget: AuthWidget, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late first attempt's address is withheld if a newer attempt follows (C20)."""
    now = [1000.0]
    monkeypatch.setattr(registration, "time", SimpleNamespace(monotonic=lambda: now[0]))
    later = Page(widget.ticket)
    assert said(page.where()) == NOT_YET
    now[0] += 60
    message(widget, page.register_message())
    assert said(page.where()) == NOT_YET
    message(widget, later.register_message())
    assert said(page.where()) == OVER
    assert said(later.where()) == (200, {"url": later.url()}), "its popup has only begun to ask"


def test_a_kernel_that_was_busy_lets_the_window_go_on(
    widget: AuthWidget, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late registration is answered once no newer one came for a moment (C18)."""
    now = [1000.0]
    monkeypatch.setattr(registration, "time", SimpleNamespace(monotonic=lambda: now[0]))
    assert said(page.where()) == NOT_YET
    now[0] += 60
    message(widget, page.register_message())
    now[0] += SETTLING - 0.01
    message(widget, page.register_message())  # the page says it once more
    assert said(page.where()) == NOT_YET
    now[0] += 0.01
    assert said(page.where()) == (200, {"url": page.url()})


def test_the_whole_sign_in(
    widget: AuthWidget, page: Page, fake: FakeProvider, eventually: Callable[..., Any]
) -> None:
    message(widget, page.register_message())
    page.registered(customs(widget)[-1])
    assert page.where().status == 200
    reply = page.callback()
    assert (reply.status, '"origin": ""' in reply.text) == (200, True), "it is relayed"
    assert said(page.where()) == OVER, "its answer has come"
    token = page.page_token(reply)
    assert page.post("/tokentoss/deliver", page_token=token, sealed=page.envelope(fake)).json() == {
        "code": ""
    }
    eventually(lambda: widget.is_authenticated)
    assert said(page.where()) == UNKNOWN, "its ticket is spent"


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"ticket": "unknown"}, UNKNOWN),
        ({"ticket": ""}, UNKNOWN),
        ({"ticket": "x" * 90_000}, UNKNOWN),
        ({"ticket": "\0"}, UNKNOWN),
        ({"key": ""}, REFUSED),
        ({"key": "é"}, REFUSED),
        ({"key": "not base64"}, REFUSED),
        ({"key": b64url(bytes(31))}, REFUSED),
        ({"key": b64url(bytes(33))}, REFUSED),
        ({"key": b64url(RecipientKey.generate().public)}, NOT_YET),
        ({"proof": "is not asked for"}, (200, "the address")),
    ],
)
def test_only_who_knows_ticket_and_attempt_is_told(
    widget: AuthWidget, page: Page, change: dict[str, str], answer: tuple[int, Any]
) -> None:
    message(widget, page.register_message())
    if answer[1] == "the address":
        answer = 200, {"url": page.url()}
    assert said(page.where(**change)) == answer
    assert page.where().json() == {"url": page.url()}, "the real one is not harmed"


@pytest.mark.parametrize("members", [{}, {"ticket": "x"}, {"key": "x"}])
def test_what_is_left_out_is_unknown(page: Page, members: dict[str, str]) -> None:
    assert said(page.post("/tokentoss/where", **members)) == UNKNOWN


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"ticket": 5}', b'{"ticket": "', b"\xff", b"[" * 9999]
)
def test_malformed_bodies(page: Page, body: bytes) -> None:
    reply = send(page.listener, "POST", "/tokentoss/where", body)
    assert (reply.status, reply.json()) == (400, {"code": "registration_refused"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
        {"Content_Type": "text/plain"},
        {"Host": "evil.example"},
        {"Host": "localhost"},
    ],
)
def test_only_the_own_page_may_ask(widget: AuthWidget, page: Page, headers: dict[str, str | None]) -> None:
    """A request with a wrong Origin, Host, fetch site or content type gets 403 (C29, C30)."""
    message(widget, page.register_message())
    members = {"ticket": page.ticket["id"], "key": b64url(page.key.public)}
    reply = send(page.listener, "POST", "/tokentoss/where", members, **headers)
    assert reply.status == 403
    assert page.state not in reply.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_no_address_holds_the_question(widget: AuthWidget, page: Page, method: str) -> None:
    message(widget, page.register_message())
    query = urlencode({"ticket": page.ticket["id"], "key": b64url(page.key.public)})
    reply = send(page.listener, method, f"/tokentoss/where?{query}")
    assert reply.status in {404, 405}
    assert page.state not in reply.text


def test_the_latest_attempt_counts(widget: AuthWidget, page: Page) -> None:
    """Only the start page of the latest attempt gets an address (C4)."""
    later = Page(widget.ticket)
    message(widget, page.register_message())
    assert said(later.where()) == NOT_YET
    message(widget, later.register_message())
    assert said(page.where()) == OVER
    assert later.where().json() == {"url": later.url()}
    message(widget, page.register_message())
    assert page.where().json() == {"url": page.url()}, "said again, it is the latest again"
    assert said(later.where()) == OVER


def test_the_latest_request_of_one_attempt_counts(widget: AuthWidget, page: Page) -> None:
    """After a second registration with the same key, the new address is given."""
    message(widget, page.register_message())
    page.state = page.state[::-1]
    message(widget, page.register_message())
    assert page.where().json() == {"url": page.url()}


def test_what_the_start_page_registered_counts_too(page: Page) -> None:
    """A registration by the start page gives the address as well."""
    assert page.register().status == 200
    assert page.where().json() == {"url": page.url()}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://evil.example/"},
        {"ticket": "another"},
        {"key": ""},
        {"sealed": ""},
    ],
)
def test_what_was_refused_leads_nowhere(widget: AuthWidget, page: Page, change: dict[str, str]) -> None:
    """A registration that is refused gives the start page no address (C10)."""
    message(widget, page.register_message(**change))
    assert said(page.where()) == NOT_YET


def test_another_widgets_ticket(make_manager: Make, page: Page) -> None:
    other = AuthWidget(auth_manager=make_manager())
    stranger = Page(other.ticket)
    assert stranger.listener == page.listener
    message(other, stranger.register_message())
    assert said(page.where(key=b64url(stranger.key.public))) == NOT_YET
    assert said(stranger.where(ticket=page.ticket["id"])) == NOT_YET
    other.close()
    assert said(stranger.where()) == UNKNOWN


def test_attempts_beyond_the_limit_are_forgotten(widget: AuthWidget, page: Page) -> None:
    message(widget, page.register_message())
    pages = [Page(widget.ticket) for _ in range(MAX_REGISTRATIONS)]
    for one in pages:
        message(widget, one.register_message())
    assert said(page.where()) == NOT_YET
    assert pages[-1].where().json() == {"url": pages[-1].url()}


def test_a_thousand_questions_of_junk(widget: AuthWidget, page: Page) -> None:
    """After a thousand malformed requests, the right one is answered."""
    port, authority = urlsplit(page.listener).port, urlsplit(page.listener).netloc
    message(widget, page.register_message())
    head = f"POST /tokentoss/where HTTP/1.1\r\nHost: {authority}\r\n"
    own = f"Origin: {page.listener}\r\nContent-Type: application/json\r\n"
    junk = [
        f"{head}\r\n",
        f"{head}{own}Content-Length: 999\r\n\r\n{{",
        f"{head}{own}Content-Length: 2\r\n\r\n{{}}",
    ]
    for number in range(1000):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
            one.sendall(junk[number % 3].encode())
    assert page.where().json() == {"url": page.url()}


def test_the_question_and_the_attempt_are_never_shown(
    widget: AuthWidget, page: Page, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The state is in no output, log or repr (C70)."""
    caplog.set_level("DEBUG")
    message(widget, page.register_message())
    page.where()
    page.where(ticket="unknown")
    out, err = capfd.readouterr()
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    kept = repr([hand_off, *hand_off.registrations._by_state.values()])
    assert page.state not in out + err + caplog.text + kept
