"""The widget's sign-in by link, which the kernel runs: the page's requests, and what it learns."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import ipywidgets.widgets.widget as internals
import pytest
from fake_provider import Answer, FakeProvider
from page import Page, Reply, send
from test_addresses import PAGE, web
from test_auth_manager import response
from test_identity import ME, oauth
from test_wait import Cell
from test_widget import customs, from_page, message, sent
from tokentoss import AuthManager, AuthWidget, SignInError, disable_debug, enable_debug, error_codes
from tokentoss.handoff import kernel_sign_in
from tokentoss.oauth.pkce import code_challenge

Make = Callable[..., AuthManager]
Eventually = Callable[[Callable[[], Any]], Any]
pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def widget(make_manager: Make) -> Iterator[AuthWidget]:
    widget = AuthWidget(auth_manager=make_manager())
    yield widget
    widget.close()
    assert not clocks()


@pytest.fixture(autouse=True)
def earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave alone what widgets of other tests wait for."""
    monkeypatch.setattr(clocks, "earlier", set(threading.enumerate()), raising=False)


def clocks() -> list[threading.Thread]:
    """The clocks of this test's widgets."""
    return [
        one
        for one in set(threading.enumerate()) - clocks.earlier  # type: ignore[attr-defined]
        if isinstance(one, threading.Timer) and not one.finished.is_set()
    ]


class Link:
    """A link that a widget gave to its page, and where the provider sends who follows it."""

    def __init__(self, widget: AuthWidget, fake: FakeProvider) -> None:
        message(widget, {"type": "ask_for_link"})
        self.told = customs(widget)[-1]
        self.parameters = dict(parse_qsl(urlsplit(self.told["link"]).query, strict_parsing=True))
        self.redirect_uri = self.parameters["redirect_uri"]
        self._widget = widget
        self._fake = fake

    def grant(self, code: str = "code-1", **claims: Any) -> str:
        """Let the provider give tokens for a code; return the query of its answer."""
        named = {"nonce": self.parameters["nonce"]} | claims
        response = self._fake.token_response(id_token=self._fake.id_token(**named), refresh_token="refresh-1")
        self._fake.answers["/token"] = Answer.json(response)
        return self.query(code=code)

    def query(self, **parameters: str) -> str:
        return urlencode({"state": self.parameters["state"]} | parameters)

    def come_back(self, query: str) -> Reply:
        parts = urlsplit(self.redirect_uri)
        return send(f"{parts.scheme}://{parts.netloc}", "GET", f"{parts.path}?{query}")

    def paste(self, text: str) -> None:
        message(self._widget, {"type": "paste", "ticket": self.told["ticket"], "address": text})

    def address(self, query: str) -> str:
        return f"{self.redirect_uri}?{query}"

    @property
    def forms(self) -> list[dict[str, str]]:
        return [form for _, path, _, form in self._fake.requests if path == "/token"]


def sentence_of(reply: Reply) -> str:
    found = re.search(r'<p id="message">(.*?)</p>', reply.text)
    assert found is not None
    return unescape(found[1])


def test_what_the_page_is_told(make_manager: Make, fake: FakeProvider) -> None:
    """The link carries exactly the expected authorization parameters (C1, C2, C7, C9, C58)."""
    manager = make_manager(hosted_domain="example.com")
    widget = AuthWidget(auth_manager=manager, login_hint="ada@example.com")
    link = Link(widget, fake)
    assert link.told == {
        "type": "link",
        "ticket": widget.ticket["id"],
        "link": link.told["link"],
        "paste": False,
        "problem": None,
    }
    assert link.told["link"].startswith(fake.issuer + "/auth?")
    random = {name: link.parameters.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert all(len(value) == 43 for value in random.values())
    assert link.parameters == {
        "client_id": widget.ticket["client_id"],
        "response_type": "code",
        "redirect_uri": widget.ticket["redirect_uri"],
        "scope": "openid email profile",
        "code_challenge_method": "S256",
        "login_hint": "ada@example.com",
        "hd": "example.com",
    }
    assert widget.status == "Waiting for you on the sign-in page…"
    widget.close()


def test_an_answer_at_the_listener_signs_in(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    ticket = widget.ticket["id"]
    reply = link.come_back(link.grant())
    assert reply.status == 200
    assert sentence_of(reply).startswith(
        "You're signed in with \u2068Fake\u2069 as \u2068ada@example.com\u2069."
    )
    assert (widget.status, widget.ticket) == ("Signed in as ada@example.com", {})
    assert widget.acknowledged == ticket
    (form,) = link.forms
    assert code_challenge(form.pop("code_verifier")) == link.parameters["code_challenge"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": link.redirect_uri,
        "client_id": "client.example",
        "client_secret": "secret-1",
    }


def test_the_last_page_has_the_headers_of_the_others(widget: AuthWidget, fake: FakeProvider) -> None:
    """The last page has the strict headers and holds neither code nor state (C19, C21)."""
    link = Link(widget, fake)
    reply = link.come_back(link.grant())
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'nonce-" in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cross-Origin-Opener-Policy" not in reply.headers, "it would cut the page off from its opener"
    assert "history.replaceState(null" in reply.text, "the code leaves the address bar"
    assert "code-1" not in reply.text
    assert link.parameters["state"] not in reply.text


def test_a_pasted_address_signs_in(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    link.paste(link.address(link.grant()))
    assert widget.status == "Signed in as ada@example.com"
    assert len(link.forms) == 1


def test_without_a_listener_only_a_paste_can_answer(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager(client_config=web(PAGE)))
    link = Link(widget, fake)
    assert link.told["paste"] is True
    assert link.redirect_uri == PAGE
    link.paste(link.address(link.grant(aud=widget.ticket["client_id"])))
    assert widget.is_authenticated
    assert link.forms[0]["redirect_uri"] == PAGE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("code-1", "paste_code_only"),
        ("nothing of the kind", "paste_not_an_address"),
        ("https://evil.example/?code=code-1", "paste_other_address"),
    ],
)
def test_a_mistake_in_pasting_ends_nothing(
    widget: AuthWidget, fake: FakeProvider, text: str, code: str
) -> None:
    link = Link(widget, fake)
    query = link.grant()
    link.paste(text)
    told = customs(widget)[-1]
    assert told == link.told | {"problem": told["problem"]}
    assert told["problem"] == str(
        kernel_sign_in.error_for(code, link.redirect_uri if "other" in code else None)
    )
    assert link.forms == []
    link.paste(link.address(query))
    assert widget.is_authenticated


@pytest.mark.parametrize("bad", ["another", "", None])
def test_another_state_is_nobodys(widget: AuthWidget, fake: FakeProvider, bad: str | None) -> None:
    """A wrong or missing state causes no token request, and the sign-in goes on (C6)."""
    link = Link(widget, fake)
    query = link.grant()
    changed = {"code": "code-1"} | ({} if bad is None else {"state": bad})
    assert link.come_back(urlencode(changed)).status == 400
    link.paste(link.address(urlencode(changed)))
    assert "belongs to another sign-in" in customs(widget)[-1]["problem"]
    assert (link.forms, widget.error_code) == ([], "")
    assert link.come_back(query).status == 200
    assert widget.is_authenticated


def test_another_issuer_is_not_heard(make_manager: Make, fake: FakeProvider) -> None:
    """A wrong or missing iss is refused, and the right one still counts (C32, RFC 9207, H7)."""
    provider = fake.provider(iss_parameter_supported=True)
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    link = Link(widget, fake)
    for answer, code in (({"iss": "https://evil.example"}, "issuer_mismatch"), ({}, "issuer_missing")):
        reply = link.come_back(link.query(code="code-1", **answer))
        assert (reply.status, widget.error_code) == (400, "")
        assert reply.text == f"{error_codes.sentence(code)} ({code})\n"
    assert link.forms == []
    assert link.come_back(link.grant() + "&" + urlencode({"iss": fake.issuer})).status == 200
    widget.close()


@pytest.mark.parametrize("pasted", [False, True])
def test_the_providers_refusal_ends_it(widget: AuthWidget, fake: FakeProvider, pasted: bool) -> None:
    link = Link(widget, fake)
    query = link.query(error="access_denied", error_description="<b>no</b>")
    if pasted:
        link.paste(link.address(query))
    else:
        reply = link.come_back(query)
        assert (reply.status, sentence_of(reply)) == (400, widget.error)
        assert "<b>" not in reply.text
    assert widget.error_code == "access_denied"
    assert widget.ticket["id"] != link.told["ticket"]
    assert widget.acknowledged == link.told["ticket"]
    again = Link(widget, fake)
    assert (widget.error, widget.error_code) == ("", ""), "so that the same failure twice is a change"
    assert again.come_back(again.grant()).status == 200


def test_a_provider_without_id_tokens(make_manager: Make, fake: FakeProvider) -> None:
    fake.answers["/user"] = Answer.json(ME)
    widget = AuthWidget(auth_manager=make_manager(provider=oauth(fake)))
    link = Link(widget, fake)
    assert "nonce" not in link.parameters
    assert "code_challenge" in link.parameters, "C2: PKCE always"
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=None))
    assert link.come_back(link.query(code="code-1")).status == 200
    assert widget.status == "Signed in as octocat"


def test_the_page_says_so_if_there_are_no_tokens(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    reply = link.come_back(link.query(code="code-1"))
    assert (reply.status, sentence_of(reply)) == (400, widget.error)
    assert widget.error_code == "invalid_grant"
    assert not widget.is_authenticated


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "other"}, "id_token_nonce_mismatch"),
        ({"nonce": None}, "id_token_nonce_mismatch"),
        ({"aud": "other"}, "id_token_audience_mismatch"),
        ({"iss": "https://evil.example"}, "id_token_issuer_mismatch"),
        ({"hd": "evil.example", "email": "ada@corp.example"}, "hosted_domain_mismatch"),
    ],
)
def test_the_id_token_is_checked(
    make_manager: Make, fake: FakeProvider, claims: dict[str, Any], code: str
) -> None:
    """A wrong nonce, audience, issuer or hosted domain is refused and not stored (C7, C58, C60)."""
    widget = AuthWidget(auth_manager=make_manager(hosted_domain="corp.example"))
    link = Link(widget, fake)
    reply = link.come_back(link.grant(**({"hd": "corp.example"} | claims)))
    assert (reply.status, widget.error_code) == (400, code)
    assert not widget.auth_manager.storage.exists()
    widget.close()


def test_an_answer_that_comes_twice(widget: AuthWidget, fake: FakeProvider) -> None:
    """An answer that comes twice, or is pasted again, causes one exchange (C6, C43)."""
    link = Link(widget, fake)
    query = link.grant()
    assert link.come_back(query).status == 200
    reply = link.come_back(query)
    assert (reply.status, "belongs to another sign-in" in reply.text) == (400, True)
    link.paste(link.address(query))
    assert len(link.forms) == 1
    assert widget.is_authenticated


def test_two_answers_at_once(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    query = link.grant()
    answer, at_provider, go_on = fake.answers["/token"], threading.Event(), threading.Event()
    assert isinstance(answer, Answer)
    answer.before = lambda: (at_provider.set(), go_on.wait(20))[0]
    replies: list[Reply] = []
    first = threading.Thread(target=lambda: replies.append(link.come_back(query)))
    first.start()
    assert at_provider.wait(20)
    assert link.come_back(query).status == 400
    link.paste(link.address(query))
    assert "belongs to another sign-in" in customs(widget)[-1]["problem"]
    go_on.set()
    first.join(20)
    assert [reply.status for reply in replies] == [200]
    assert len(link.forms) == 1


def test_a_second_link_replaces_the_first(widget: AuthWidget, fake: FakeProvider) -> None:
    """A second link has fresh values, and the first one's answer is refused (C4)."""
    first, second = Link(widget, fake), Link(widget, fake)
    for name in ("state", "nonce", "code_challenge"):
        assert first.parameters[name] != second.parameters[name]
    assert first.come_back(first.grant()).status == 400
    assert first.forms == []
    assert second.come_back(second.grant()).status == 200
    assert len(second.forms) == 1


def test_a_dropped_link_is_no_sign_in_any_more(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    message(widget, {"type": "drop_link"})
    assert widget.status == "Click to sign in"
    query = link.grant()
    assert link.come_back(query).status == 400
    link.paste(link.address(query))
    assert link.forms == []
    assert not widget.is_authenticated


def test_a_link_ends_in_time(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(kernel_sign_in, "LIFETIME", 0.05)
    widget = AuthWidget(auth_manager=make_manager())
    link = Link(widget, fake)
    eventually(lambda: widget.error_code)
    assert widget.error_code == "sign_in_timed_out"
    assert widget.ticket["id"] != link.told["ticket"]
    assert link.come_back(link.grant()).status == 400
    assert link.forms == []
    widget.close()


def test_whichever_way_comes_first_counts(widget: AuthWidget, fake: FakeProvider) -> None:
    """After a sign-in by popup, the link's answer is refused."""
    link = Link(widget, fake)
    page = Page(widget.ticket)
    assert page.register().status == 200
    from_page(widget, sealed_tokens=page.envelope(fake))
    assert widget.is_authenticated
    assert link.come_back(link.grant()).status == 400
    assert link.forms == []


def test_a_sign_in_by_other_means_ends_it(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    widget.auth_manager.accept(response(fake), nonce="n")
    assert widget.status == "Signed in as ada@example.com"
    assert link.come_back(link.grant()).status == 400
    assert link.forms == []


def test_signing_out_and_in_again(widget: AuthWidget, fake: FakeProvider) -> None:
    first = Link(widget, fake)
    first.come_back(first.grant())
    message(widget, {"type": "sign_out"})
    assert widget.status == "Click to sign in"
    second = Link(widget, fake)
    assert second.told["ticket"] != first.told["ticket"]
    assert second.come_back(second.grant("code-2")).status == 200
    assert widget.is_authenticated


def test_asking_for_more_scopes(widget: AuthWidget, fake: FakeProvider) -> None:
    first = Link(widget, fake)
    first.come_back(first.grant())
    widget.request_scopes("calendar")
    assert widget.status == "Click to allow more"
    link = Link(widget, fake)
    assert link.parameters["scope"] == "openid email profile calendar"
    assert link.parameters["login_hint"] == "ada@example.com"
    message(widget, {"type": "drop_link"})
    assert widget.status == "Click to allow more"
    link = Link(widget, fake)
    assert link.come_back(link.grant()).status == 200
    assert (widget.status, widget.missing_scopes) == ("Signed in as ada@example.com", [])


def test_the_page_cannot_ask_when_nothing_is_awaited(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    link.come_back(link.grant())
    count = len(customs(widget))
    for content in ({"type": "ask_for_link"}, {"type": "drop_link"}, {"type": "paste", "address": "x"}):
        message(widget, content)
    assert len(customs(widget)) == count
    assert widget.status == "Signed in as ada@example.com"


@pytest.mark.parametrize("address", [None, 7, ["x"], {"a": 1}])
def test_an_address_that_is_no_text(widget: AuthWidget, fake: FakeProvider, address: Any) -> None:
    link = Link(widget, fake)
    link.paste(address)
    assert customs(widget)[-1] == link.told


def test_nothing_secret_is_kept_or_said(
    widget: AuthWidget,
    fake: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """State, messages, logs and output of a sign-in by link hold no secret (C5, C70, C72)."""
    caplog.set_level(logging.DEBUG)
    enable_debug()
    link = Link(widget, fake)
    sign_in = widget._attempt.hand_off.in_kernel  # type: ignore[union-attr]
    seen = [repr(sign_in), repr(widget._attempt.hand_off), repr(widget), str(widget.get_state())]
    link.paste("nonsense")
    link.paste(link.address("code=code-1&state=wrong"))
    query = link.grant()
    seen.append(str(widget.get_state()))
    link.come_back(query)
    disable_debug()
    seen += [repr(sign_in), str(widget.get_state()), caplog.text, *capfd.readouterr()]
    (form,) = link.forms
    tokens = widget.auth_manager.token_data
    assert tokens is not None
    nowhere = [form["code_verifier"], tokens.access_token, tokens.id_token, tokens.refresh_token, "secret-1"]
    for secret in [*nowhere, "code-1", link.parameters["state"]]:
        assert all(secret not in text for text in seen)
    for secret in [*nowhere, query]:
        assert secret not in str(sent(widget)), "not even in a message"
    updates = [data for data in sent(widget) if data["method"] == "update"]
    assert link.parameters["state"] not in str(updates)


def test_a_cell_that_waits_hears_of_it(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    cells = [Cell(widget), Cell(widget, run=lambda: asyncio.run(widget.signed_in(60)))]
    assert link.come_back(link.grant()).status == 200
    assert [cell.end().email for cell in cells] == ["ada@example.com"] * 2


def test_a_cell_that_waits_hears_of_its_failure(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    cell = Cell(widget)
    link.come_back(link.query(error="access_denied"))
    assert cell.end().code == "access_denied"


def test_a_page_without_webassembly_has_not_failed_yet(widget: AuthWidget, fake: FakeProvider) -> None:
    """A page without WebAssembly ends no wait, since a link can still sign in."""
    cell = Cell(widget, run=lambda: asyncio.run(widget.signed_in(60)))
    report = {"type": "report", "ticket": widget.ticket["id"], "phase": "failed", "subject": ""}
    message(widget, report | {"code": "webassembly_unavailable"})
    assert widget.error_code == "webassembly_unavailable"
    with pytest.raises(SignInError) as refused:
        widget.wait(timeout=None)
    assert refused.value.code == "wait_impossible"
    link = Link(widget, fake)
    blocked = Cell(widget)
    assert link.come_back(link.grant()).status == 200
    assert [one.end().email for one in (cell, blocked)] == ["ada@example.com"] * 2


def test_closing_the_widget_gives_the_link_up(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager())
    link = Link(widget, fake)
    query = link.grant()
    widget.close()
    assert not clocks()
    assert link.come_back(query).status in {400, 404}
    assert link.forms == []


def test_a_widget_that_nobody_holds_gives_it_up(
    make_manager: Make, fake: FakeProvider, eventually: Eventually
) -> None:
    widget = AuthWidget(auth_manager=make_manager())
    Link(widget, fake)
    assert clocks()
    internals._instances.pop(widget.model_id)
    gone = weakref.ref(widget)
    widget.comm._msg_callback = None
    del widget
    gc.collect()
    assert gone() is None
    eventually(lambda: not clocks())


def test_a_browser_is_sent_on_once(widget: AuthWidget, fake: FakeProvider) -> None:
    """The address for the browser command holds no secret and works once."""
    link = Link(widget, fake)
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    origin = link.redirect_uri.removesuffix("/")
    address = hand_off.in_kernel.begin_address(origin)
    target = address.removeprefix(origin)
    for secret in (link.parameters["state"], link.parameters["nonce"], link.parameters["code_challenge"]):
        assert secret not in address
    for wrong in (
        "/tokentoss/begin",
        "/tokentoss/begin?",
        "/tokentoss/begin?x",
        target + "x",
        target + "%C3",
    ):
        assert send(origin, "GET", wrong).status == 404
    assert send(origin, "GET", target, Sec_Fetch_Mode="no-cors").status == 403
    assert send(origin, "GET", target, Sec_Purpose="prefetch").status == 403
    reply = send(origin, "GET", target)
    assert (reply.status, reply.headers["Location"]) == (303, link.told["link"])
    assert (reply.headers["Cache-Control"], reply.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert send(origin, "GET", target).status == 404
    assert link.come_back(link.grant()).status == 200


def test_a_browser_that_comes_late_is_not_sent_on(widget: AuthWidget, fake: FakeProvider) -> None:
    link = Link(widget, fake)
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    origin = link.redirect_uri.removesuffix("/")
    target = hand_off.in_kernel.begin_address(origin).removeprefix(origin)
    message(widget, {"type": "drop_link"})
    assert send(origin, "GET", target).status == 404
