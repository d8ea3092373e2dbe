"""A broker's answers are read strictly: exactly as they are, or with a typed error."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from broker_steps import Make, until
from fake_provider import Answer, FakeProvider
from tokentoss import BrokerManager, TokenTossError, error_codes
from tokentoss.broker import Broker, BrokerClient, FakeBroker
from tokentoss.broker.fake.problems import STATUS_OF
from tokentoss.broker.problem import error_of
from tokentoss.exceptions import ConfigurationError, NoCredentialsError, TokenRefreshError, error_for

ROOT = Path(__file__).parents[2]


def interface() -> dict[str, Any]:
    """The interface as the broker itself describes it."""
    path = ROOT / "crates/tokentoss-broker/src/routes/openapi.json"
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return described


def test_every_code_of_the_broker_is_known_here() -> None:
    codes = set(interface()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    assert {"scope_forbidden", "audience_forbidden", "request_incomplete", "hub_unavailable"} <= codes
    assert codes <= set(error_codes.table())


def test_a_problem_is_read_by_the_members_of_the_interface() -> None:
    read = set()

    class Members(dict[str, Any]):
        def get(self, name: str, default: object = None) -> Any:
            read.add(name)
            return super().get(name, default)

    error_of(Members(code="not_connected"), "https://broker")
    described = interface()["components"]["schemas"]["Problem"]["properties"]
    assert {"code", "title", "cause", "action", "retry_after", "trace_id"} == read <= set(described)


def test_the_fake_broker_has_the_statuses_of_the_interface() -> None:
    text = (ROOT / "docs/broker/http.md").read_text(encoding="utf-8").partition("## Problems")[2]
    documented = {
        code: int(status)
        for status, codes in re.findall(r"(?m)^\| (\d{3}) \| (.*) \|$", text)
        for code in re.findall(r"`([a-z_]+)`", codes)
    }
    assert documented == STATUS_OF


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("scope_forbidden", ConfigurationError),
        ("hub_unavailable", TokenRefreshError),
        ("request_incomplete", TokenRefreshError),
    ],
)
def test_the_kind_of_a_problem(code: str, kind: type[TokenTossError]) -> None:
    assert type(error_for(code)) is kind


def test_scopes_are_asked_for_as_they_are_and_refused_by_name(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever follows the news asks for a token as well, and would get the refusal.
    monkeypatch.setattr(BrokerManager, "follow_news", lambda _: None)
    grant = broker.connect("google", scopes=["openid", "email", "profile"])
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: widget.is_authenticated)
    begun = len(broker.attempts)
    broker.failures = [{"code": "scope_forbidden"}]
    assert widget.request_scopes("https://drive") == ["https://drive"]
    until(lambda: widget.error_code == "scope_forbidden")
    sent = next(members for _, path, members in broker.requests[::-1] if path == "/v1/authorizations")
    assert sent["scopes"] == [*widget.auth_manager.provider.scopes, "https://drive"]
    assert len(broker.attempts) == begun
    assert widget.is_authenticated, "what was granted stays usable"
    assert widget.auth_manager.access_token == grant.access_token


NEVER = [None, True, "1800000000", -1, -0.5, 1e12, 10**400, [], {}]
"""Times that are none; the last but two is later than the year 9999, as are milliseconds."""


def given(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "access_token": "access-1",
        "token_type": "Bearer",
        "expires_at": now + 3600,
        "scopes": [],
        "account": {"id": "a", "subject": "s", "email": None},
        "version": 1,
        "id_token": "id-1",
        "id_token_expires_at": now + 1800,
    } | changes


def account(**changes: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "provider": "google",
        "subject": "s",
        "email": None,
        "status": "active",
        "scopes": [],
        "connected_at": 1_700_000_000,
        "renewed_at": None,
        "used_at": 1_700_000_000,
    } | changes


def asked(service: FakeProvider, answer: Answer, *, id_token: bool = True) -> Any:
    service.answers["/v1/token"] = answer
    client = BrokerClient(Broker(service.issuer, "key"))
    return client.get_valid_provider_access_token("google", id_token=id_token)


def require_refused(act: Any) -> TokenTossError:
    with pytest.raises(TokenRefreshError) as caught:
        act()
    assert caught.value.code == "broker_answer_invalid"
    return caught.value


def body(members: object) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize("value", NEVER, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("name", ["expires_at", "id_token_expires_at"])
def test_a_time_that_is_none(service: FakeProvider, name: str, value: object) -> None:
    if (name, value) == ("expires_at", None):
        assert asked(service, Answer.json(given(expires_at=None))).expires_at is None, "nobody knows"
        return
    require_refused(lambda: asked(service, Answer.json(given(**{name: value}))))


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1" * 5000, b"0x10"])
def test_a_number_that_is_none(service: FakeProvider, number: bytes) -> None:
    content = body(given(expires_at=7)).replace(b'"expires_at": 7', b'"expires_at": ' + number)
    require_refused(lambda: asked(service, Answer(200, content)))


def test_an_end_that_is_missing_or_stands_there_twice(service: FakeProvider) -> None:
    members = given()
    del members["expires_at"]
    require_refused(lambda: asked(service, Answer.json(members)))
    twice = body(members)[:-1] + b', "expires_at": 1800000000, "expires_at": 1900000000}'
    require_refused(lambda: asked(service, Answer(200, twice)))


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": 7},
        {"access_token": "two words"},
        {"access_token": "a\r\nX-Injected: 1"},
        {"access_token": "\u00e9"},
        {"id_token": ""},
        {"id_token": "a\nb"},
        {"token_type": "mac"},
        {"version": True},
        {"version": -1},
        {"version": "1"},
        {"scopes": "openid"},
        {"scopes": [7]},
        {"account": []},
        {"account": {"id": "", "subject": "s"}},
        {"account": {"id": "a", "subject": 7}},
    ],
    ids=str,
)
def test_a_member_of_another_type(service: FakeProvider, changes: dict[str, Any]) -> None:
    require_refused(lambda: asked(service, Answer.json(given(**changes))))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b""),
        Answer(204, b""),
        Answer(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}),
        Answer(200, body(given())[:-5]),
        Answer(200, b"\xff" + body(given())),
        Answer(200, body([given()])),
        Answer(200, b"[" * 100_000),
        Answer(200, b" " * 2_000_000),
        Answer(301, body(given()), {"Location": "https://elsewhere.example/"}),
        Answer(302, body(given()), {"Location": "/v1/accounts"}),
        Answer(304, b""),
        Answer(404, b"<p>nothing here", {"Content-Type": "text/html"}),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:12]!r}",
)
@pytest.mark.parametrize("route", ["token", "accounts", "account", "begin", "progress"])
def test_an_answer_that_is_none(service: FakeProvider, answer: Answer, route: str) -> None:
    client = BrokerClient(Broker(service.issuer, "key"))
    routes: dict[str, tuple[str, Any]] = {
        "token": ("/v1/token", lambda: client.get_valid_provider_access_token("google")),
        "accounts": ("/v1/accounts", client.accounts),
        "account": ("/v1/accounts/a", lambda: client.account("a")),
        "begin": ("/v1/authorizations", lambda: client.begin("google")),
        "progress": ("/v1/authorizations/a", lambda: client.progress("a")),
    }
    path, act = routes[route]
    if route == "accounts" and answer.body.startswith(b"[{"):
        answer = Answer(200, body([{"id": "a"}]))
    service.answers[path] = answer
    failure = require_refused(act)
    assert failure.action is None, "to ask again would be no use"
    assert len(service.requests) == 1


@contextmanager
def broken_off(content: bytes) -> Iterator[str]:
    """A server that sends this and hangs up; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(content)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(20)


def test_an_answer_that_breaks_off() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    with broken_off(head + body(given())) as url, pytest.raises(TokenRefreshError) as caught:
        BrokerClient(Broker(url, "key")).get_valid_provider_access_token("google")
    assert (caught.value.code, caught.value.action) == ("answer_incomplete", "retry")


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000", "+0530", ""])
def test_the_brokers_clock_counts_whatever_zone_it_names(
    service: FakeProvider, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Lifetimes follow the broker's Date header in any time zone."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    there = 1_800_000_000
    hours = 5.5 if zone == "+0530" else 0
    shown = datetime.fromtimestamp(there + hours * 3600, timezone.utc)
    date = format_datetime(shown).removesuffix("+0000") + zone
    answer = Answer.json(given(expires_at=there + 600, id_token_expires_at=there + 300))
    service.server.RequestHandlerClass.date_time_string = lambda *_: date  # type: ignore[attr-defined]
    try:
        token = asked(service, answer)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (token.life, token.id_token_life) == (600, 300)


@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 9999 00:00:00 -2359", "yesterday"]
)
def test_a_clock_that_cannot_be_right(service: FakeProvider, date: str) -> None:
    service.server.RequestHandlerClass.date_time_string = lambda *_: date  # type: ignore[attr-defined]
    if "1970" in date:
        require_refused(lambda: asked(service, Answer.json(given())))
        return
    token = asked(service, Answer.json(given()))
    assert token.life < 0 if "9999" in date else 3500 < token.life <= 3600


@pytest.mark.parametrize("value", [value for value in NEVER if value is not None], ids=lambda v: repr(v)[:12])
@pytest.mark.parametrize("name", ["connected_at", "renewed_at", "used_at"])
def test_a_time_of_an_account(service: FakeProvider, name: str, value: object) -> None:
    service.answers["/v1/accounts"] = Answer.json([account(), account(**{name: value})])  # type: ignore[arg-type]
    require_refused(BrokerClient(Broker(service.issuer, "key")).accounts)


@pytest.mark.parametrize("value", NEVER, ids=lambda value: repr(value)[:12])
def test_a_time_of_a_sign_in(service: FakeProvider, value: object) -> None:
    begun = {"id": "a", "way": "page", "url": "https://broker.example/connect/a", "expires_at": value}
    service.answers["/v1/authorizations"] = Answer.json(begun, 201)
    require_refused(lambda: BrokerClient(Broker(service.issuer, "key")).begin("google"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(5, 5), (0.5, 0.5), (-3, 0), (10**400, 3600), (float("inf"), 3600), ("5", None), (True, None)],
    ids=lambda value: repr(value)[:12],
)
def test_how_long_to_wait(value: object, seconds: float | None) -> None:
    assert error_of({"code": "refresh_busy", "retry_after": value}, "https://broker").retry_after == seconds


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_trace_is_told_to_those_who_ask_their_administrator(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("TOKENTOSS_LANGUAGE", language)
    members = {"code": "caller_forbidden", "title": "No.", "action": "ask_admin", "trace_id": TRACE}
    refused = error_of(members, "https://broker")
    assert (refused.trace_id, refused.subject) == (TRACE, "https://broker")
    assert f"https://broker, trace {TRACE}" in str(refused)
    away = error_of({**members, "code": "refresh_busy", "action": "retry"}, "https://broker")
    assert away.trace_id == TRACE
    assert TRACE not in str(away)


@pytest.mark.parametrize("value", [None, 7, "", TRACE.upper(), TRACE[1:], f"{TRACE}\n", "<script>", [TRACE]])
def test_a_trace_that_is_none_is_left_out(value: object) -> None:
    refused = error_of(
        {"code": "caller_forbidden", "action": "ask_admin", "trace_id": value}, "https://broker"
    )
    assert refused.trace_id is None
    assert "trace" not in str(refused)


def test_the_fake_broker_gives_each_problem_a_trace() -> None:
    with FakeBroker() as fake:
        client = BrokerClient(fake.broker())
        traces = set()
        for _ in range(2):
            with pytest.raises(NoCredentialsError) as refused:
                client.get_valid_provider_access_token("google")
            traces.add(refused.value.trace_id)
    assert len(traces - {None}) == 2


def test_the_fake_broker_has_identifiers_of_the_form_that_the_broker_gives() -> None:
    with FakeBroker() as fake:
        account = fake.connect("google", email="ada@example.com")
        begun = BrokerClient(fake.broker()).begin("google")
    assert all(re.fullmatch("[0-9a-f]{32}", identifier) for identifier in (account.id, begun.id))
