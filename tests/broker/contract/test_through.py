"""Calls that a broker of either kind makes for its caller."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contract_world import World, broker_for, call, host_of
from servers.recording import RecordingServer, Reply
from tokentoss import GOOGLE, APIClient, ConfigurationError, IAPClient, NoCredentialsError
from tokentoss.broker import BrokerClient
from tokentoss.broker.fake import through_headers

if TYPE_CHECKING:
    import requests

BROKER = Path(__file__).resolve().parents[3] / "crates" / "tokentoss-broker"
HEADERS = BROKER / "src" / "through" / "headers" / "names.rs"
ADA, BOB = "ada@example.com", "bob@example.com"
MARK = "Tokentoss-Through"


def through(
    world: World, service: RecordingServer, method: str, path: str, **arguments: object
) -> requests.Response:
    return call(world, method, f"/v1/through/google/{host_of(service)}{path}", **arguments)


def tokens(world: World) -> tuple[str, str | None]:
    """Access and ID token, as they are now."""
    token = BrokerClient(broker_for(world)).get_valid_provider_access_token("google", id_token=True)
    return token.access_token, token.id_token


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b""), ("POST", b"a letter"), ("POST", b""), ("POST", b"x" * 300_000)]
)
def test_the_service_gets_the_request_and_the_caller_its_answer(
    world: World, service: RecordingServer, method: str, body: bytes
) -> None:
    world.connect("google", user="ada", email=ADA)
    service.answer = lambda _: Reply(418, b"an answer", {"Content-Type": "text/plain"})
    answer = through(world, service, method, "/api?a=b%20c&a=d", data=body)
    assert (answer.status_code, answer.content) == (418, b"an answer")
    assert (answer.headers[MARK], answer.headers["Content-Type"]) == ("1", "text/plain")
    (request,) = service.requests
    assert (request.method, request.target, request.body) == (method, "/api?a=b%20c&a=d", body)
    assert request.headers["Host"] == host_of(service)
    assert request.bearer == tokens(world)[0]


def test_an_answer_to_head_has_no_body(world: World, service: RecordingServer) -> None:
    world.connect("google", user="ada", email=ADA)
    answer = through(world, service, "HEAD", "/api")
    assert (answer.status_code, answer.headers[MARK], answer.content) == (200, "1", b"")


def test_the_named_credential_is_sent(world: World, service: RecordingServer) -> None:
    world.connect("google", user="ada", email=ADA)
    through(world, service, "GET", "/api", headers={"X-Tokentoss-Credential": "id_token"})
    assert service.requests[0].bearer == tokens(world)[1]


STAYS_HERE = {
    "Connection": "keep-alive, X-Hop",
    "Cookie": "session=1",
    "Forwarded": "for=192.0.2.1",
    "Origin": "https://evil.example",
    "Proxy-Authorization": "Bearer mine",
    "TE": "trailers",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded_User": "root",
    "X-Goog-IAP-JWT-Assertion": "mine",
    "X-Hop": "1",
    "X-Remote-User": "root",
}


def test_headers_that_could_pretend_to_be_somebody_do_not_pass(
    world: World, service: RecordingServer
) -> None:
    world.connect("google", user="ada", email=ADA)
    passing = {"Accept": "text/plain", "Content-Type": "application/x", "If-Match": '"1"', "X-Own": "1"}
    through(world, service, "POST", "/api", data=b"1", headers={**passing, **STAYS_HERE})
    (request,) = service.requests
    assert {name: request.headers[name] for name in passing} == passing
    names = {name.lower() for name in request.headers}
    assert names.isdisjoint({name.lower() for name in STAYS_HERE} - {"connection"})
    assert not [name for name in names if name.startswith("x-tokentoss-")]
    assert world.server_key not in request.text
    assert request.headers.get_all("Authorization") == [f"Bearer {tokens(world)[0]}"]


def test_headers_of_an_answer_that_are_the_brokers_to_say_do_not_pass(
    world: World, service: RecordingServer
) -> None:
    world.connect("google", user="ada", email=ADA)
    passing = {"ETag": '"1"', "Location": "https://elsewhere.example/", "X-Own": "1"}
    stays = {
        "Access-Control-Allow-Origin": "*",
        "Set-Cookie": "session=1",
        "Strict-Transport-Security": "max-age=0",
        "X-Accel-Redirect": "/etc/passwd",
        "X-Sendfile": "/etc/passwd",
    }
    service.answer = lambda _: Reply(302, b"", {**passing, **stays, MARK: "2"})
    answer = through(world, service, "GET", "/api", allow_redirects=False)
    assert (answer.status_code, answer.headers[MARK]) == (302, "1")
    assert {name: answer.headers[name] for name in passing} == passing
    assert set(answer.headers).isdisjoint(stays)


def test_a_refused_token_is_renewed_and_the_call_repeated_once(
    world: World, service: RecordingServer
) -> None:
    world.connect("google", user="ada", email=ADA)
    first = tokens(world)[0]
    world.let_tokens_age()
    service.answer = lambda request: Reply(status=401 if request.bearer == first else 200)
    answer = through(world, service, "POST", "/api", data=b"a letter")
    assert (answer.status_code, answer.headers[MARK]) == (200, "1")
    assert [request.body for request in service.requests] == [b"a letter"] * 2
    assert [request.bearer for request in service.requests] == [first, tokens(world)[0]]
    assert first != tokens(world)[0]

    # One that refuses every token is asked no third time, and its answer is passed on.
    world.let_tokens_age()
    service.requests.clear()
    service.answer = lambda _: Reply.json({"code": "caller_unauthenticated"}, 401)
    answer = through(world, service, "GET", "/api")
    assert (answer.status_code, answer.headers[MARK]) == (401, "1")
    assert len({request.bearer for request in service.requests}) == len(service.requests) == 2


def test_a_long_body_is_sent_once(world: World, service: RecordingServer) -> None:
    world.connect("google", user="ada", email=ADA)
    service.answer = lambda _: Reply(401)
    assert through(world, service, "POST", "/api", data=b"x" * 70_000).status_code == 401
    assert len(service.requests) == 1


def test_where_nobody_is_connected_nothing_is_called(world: World, service: RecordingServer) -> None:
    answer = through(world, service, "GET", "/api")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_connected")
    assert MARK not in answer.headers
    assert service.requests == []


class TestClients:
    """Clients with ``through=True`` send their calls through the broker and hold no token."""

    def test_they_hold_no_token(self, world: World, service: RecordingServer) -> None:
        world.connect("google", user="ada", email=ADA)
        service.answer = lambda request: Reply.json({"token": request.bearer, "sent": request.body.decode()})
        base = f"https://{host_of(service)}"
        access, identity = tokens(world)
        broker = broker_for(world)
        api = APIClient(base, provider=GOOGLE, account=ADA, broker=broker, through=True)
        assert api.get_json("/api") == {"token": access, "sent": ""}
        posted = IAPClient(base, broker=broker, through=True).post("/api", data="a letter")
        assert posted.json() == {"token": identity, "sent": "a letter"}
        assert posted.url == f"{base}/api"

    def test_a_target_that_nobody_allowed(self, world: World, service: RecordingServer) -> None:
        world.connect("google", user="ada", email=ADA)
        client = IAPClient("https://other.example", broker=broker_for(world), through=True)
        with pytest.raises(ConfigurationError) as caught:
            client.get("/api")
        assert (caught.value.code, caught.value.action) == ("target_forbidden", "ask_admin")

    def test_nobody_is_connected(self, world: World, service: RecordingServer) -> None:
        client = IAPClient(f"https://{host_of(service)}", broker=broker_for(world), through=True)
        with pytest.raises(NoCredentialsError) as caught:
            client.get("/api")
        assert caught.value.code == "not_connected"


@pytest.mark.parametrize("name", ["HOP_BY_HOP", "NOT_SENT", "NOT_RETURNED"])
def test_the_fake_broker_keeps_back_what_the_broker_does(name: str) -> None:
    source = HEADERS.read_text()
    listed = {
        constant: re.findall(r'"([^"]+)"', values)
        for constant, values in re.findall(r"const (\w+): &\[&str\] =\s*&\[(.*?)\];", source, re.DOTALL)
    }
    joined = re.search(rf"const {name}: &\[&\[&str\]\] =\s*&\[(.*?)\];", source, re.DOTALL)
    parts = re.findall(r"\w+", joined[1]) if joined else [name]
    assert set(getattr(through_headers, name)) <= {value for part in parts for value in listed[part]}


FORGED = {"Tokentoss-Account": "forged", MARK: "0", "X-Tokentoss-Account": "forged"}


def test_an_answer_names_the_account_whose_token_was_sent(world: World, service: RecordingServer) -> None:
    world.connect("google", user="ada", email=ADA)
    (ada,) = BrokerClient(broker_for(world)).accounts()
    service.answer = lambda _: Reply(200, b"", FORGED)
    answer = through(world, service, "GET", "/api")
    named = {name.lower(): value for name, value in answer.headers.items() if "tokentoss" in name.lower()}
    assert named == {"tokentoss-through": "1", "tokentoss-account": ada.id}
    refused = through(world, service, "GET", "/api", user="bob")
    assert refused.status_code == 404
    assert "Tokentoss-Account" not in refused.headers


def test_a_client_stays_with_the_account_of_its_first_call(world: World, service: RecordingServer) -> None:
    world.connect("google", user="ada", email=ADA)
    service.answer = lambda request: Reply.json(request.bearer)
    base = f"https://{host_of(service)}"
    with APIClient(base, provider="google", broker=broker_for(world), through=True) as client:
        own = client.get_json("/api")
        world.connect("google", user="ada", email=BOB)
        assert client.get_json("/api") == own, "not ambiguous"
        broker = BrokerClient(broker_for(world))
        (ada,) = (one for one in broker.accounts() if one.email == ADA)
        broker.disconnect(ada.id)
        with pytest.raises(NoCredentialsError) as ended:
            client.get("/api")
    assert ended.value.code == "client_session_ended"
