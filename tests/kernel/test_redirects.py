"""The token follows no redirect to another origin, for any client, status or method (C73, C74)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from servers.recording import RecordingServer, Reply
from tokentoss import ConfigurationError, IAPClient, MemoryStorage
from tokentoss.clients.errors import (
    ServiceError,
    ServiceRedirectError,
    ServiceSignInRedirectError,
    ServiceUnreachableError,
)
from tokentoss.clients.httpx_auth import HTTPXAuth
from tokentoss.clients.requests_auth import RequestsAuth

from kernel.people import manager_at, sign_in

STATUSES = (301, 302, 303, 307, 308)
SERVICE = "service.example"
NAMES = (SERVICE, f"api.{SERVICE}", f"{SERVICE}.evil.example", f"evil-{SERVICE}", "example", "evil.example")


@pytest.fixture(scope="module")
def manager(running_provider):
    running_provider.reset()
    return sign_in(manager_at(running_provider, storage=MemoryStorage()))


@pytest.fixture
def serve(authority):
    """Start servers that end with the test."""
    servers = []

    def start(answer=lambda _request: Reply.json({"here": True}), *, tls=False):
        certificate = authority.issue(*NAMES, "localhost", "127.0.0.1") if tls else None
        servers.append(RecordingServer(answer, certificate=certificate))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def strangers(serve, names, authority, monkeypatch):
    """Servers, plain and with TLS, that must get nothing; they ask for a token as loudly as they can."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    for name in NAMES:
        names.add(name)
    challenge = Reply(401, b"{}", {"WWW-Authenticate": "Bearer", "Content-Type": "application/json"})
    return serve(lambda _request: challenge), serve(lambda _request: challenge, tls=True)


def foreign_targets(plain, secure, service):
    """Everything that is not the origin of the service, by what makes it another."""
    here = service.port
    targets = {
        "other port": f"{service.scheme}://{SERVICE}:{secure.port}/x",
        "subdomain": f"https://api.{SERVICE}:{secure.port}/x",
        "name that begins alike": f"https://{SERVICE}.evil.example:{secure.port}/x",
        "name that ends alike": f"https://evil-{SERVICE}:{secure.port}/x",
        "parent domain": f"https://example:{secure.port}/x",
        "other host": f"https://evil.example:{secure.port}/x",
        "without a scheme": f"//evil.example:{secure.port}/x",
        "downgrade": f"http://{SERVICE}:{plain.port}/x",
        "downgrade to loopback": f"http://127.0.0.1:{plain.port}/x",
        "user that looks like the host": f"https://{SERVICE}:{here}@evil.example:{secure.port}/x",
        "backslash before the user": f"https://evil.example:{secure.port}\\@{SERVICE}:{here}/x",
        "backslashes": f"\\\\evil.example:{secure.port}/x",
        "capitals": f"HTTPS://EVIL.EXAMPLE:{secure.port}/x",
        "trailing dot": f"https://{SERVICE}.:{secure.port}/x",
    }
    return targets.items()


def received(*servers):
    return [request for server in servers for request in server.requests]


def assert_no_token(requests_received, manager):
    for request in requests_received:
        for token in (manager.id_token, manager.token_data.access_token, manager.token_data.refresh_token):
            assert token not in request.text


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
def test_the_client_goes_nowhere_else(manager, serve, strangers, status, method):
    """No redirect takes the token or the call to an origin that was not allowed (C73)."""
    location = {}
    service = serve(lambda _request: Reply.redirect(status, location["now"]), tls=True)
    with IAPClient(service.origin(SERVICE), auth_manager=manager) as client:
        for what, target in foreign_targets(*strangers, service):
            location["now"] = target
            response = client.request(
                method, "/start", data=None if method == "GET" else b"body", allow_redirects=True
            )
            assert (response.status_code, response.history) == (status, []), what
            assert received(*strangers) == [], what
    assert {request.bearer for request in service.requests} == {manager.id_token}


@pytest.mark.parametrize("status", STATUSES)
def test_json_calls_say_where_they_were_sent(manager, serve, strangers, status):
    """A redirect elsewhere is an error with the place in it; one to a sign-in page is another (C74)."""
    location = {}
    service = serve(lambda _request: Reply.redirect(status, location["now"]), tls=True)
    with IAPClient(service.origin(SERVICE), auth_manager=manager) as client:
        for call in (client.get_json, client.post_json):
            location["now"] = f"https://evil.example:{strangers[1].port}/x?secret=1"
            with pytest.raises(ServiceRedirectError, match=r"evil\.example") as foreign:
                call("/data")
            assert "secret" not in str(foreign.value)
            location["now"] = "https://accounts.google.com/o/oauth2/v2/auth?client_id=iap&response_type=code"
            with pytest.raises(ServiceSignInRedirectError) as sign_in_page:
                call("/data")
            assert {foreign.value.code, sign_in_page.value.code} == {
                "service_redirected",
                "service_sign_in_redirect",
            }
            for error in (foreign.value, sign_in_page.value):
                assert isinstance(error, ServiceError)
                assert error.response.status_code == status
    assert received(*strangers) == []


@pytest.mark.parametrize("status", STATUSES)
def test_redirects_within_the_service_are_followed(manager, serve, strangers, status):
    def answer(request):
        return Reply.json({"at": request.path}) if request.path == "/b" else Reply.redirect(status, "/b")

    service = serve(answer, tls=True)
    with IAPClient(service.origin(SERVICE), auth_manager=manager) as client:
        assert client.get_json("/a") == {"at": "/b"}
        assert client.post_json("/a", {"x": 1}) == {"at": "/b"}
    assert {request.bearer for request in service.requests} == {manager.id_token}
    last = service.requests[-1]
    keeps_method = status in {307, 308}
    assert (last.method, bool(last.body)) == (("POST", True) if keeps_method else ("GET", False))


@pytest.mark.parametrize("status", STATUSES)
def test_an_allowed_origin_is_one_more_place_and_no_other(manager, serve, strangers, status):
    other = serve(tls=True)
    service = serve(lambda _request: Reply.redirect(status, other.origin(f"api.{SERVICE}")), tls=True)
    allowed = [other.origin(f"api.{SERVICE}")]
    with IAPClient(service.origin(SERVICE), auth_manager=manager, allowed_origins=allowed) as client:
        assert client.get_json("/a") == {"here": True}
        assert other.requests[-1].bearer == manager.id_token
        for address in (other.origin(SERVICE), strangers[1].origin(f"api.{SERVICE}")):
            with pytest.raises(ConfigurationError) as refusal:
                client.get(address)
            assert refusal.value.code == "origin_not_allowed"
    assert received(*strangers) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_names_of_loopback_are_different_hosts(manager, serve, host):
    service = serve()
    other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[host]
    service.answer = lambda request: (
        Reply.json({}) if request.path == "/b" else Reply.redirect(302, f"{service.origin(other)}/b")
    )
    with IAPClient(service.origin(host), auth_manager=manager) as client:
        assert client.get("/a").status_code == 302
        assert [request.path for request in service.requests] == ["/a"]


@pytest.mark.parametrize("verify", [False, 0, "", 0.0, ()])
def test_certificates_are_checked_whatever_is_said(manager, serve, strangers, monkeypatch, verify):
    """No falsy value of verify disables the certificate check (C75)."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    service = serve(tls=True)
    with (
        IAPClient(service.origin(SERVICE), auth_manager=manager) as client,
        pytest.raises((ConfigurationError, requests.RequestException)),
    ):
        client.get("/a", verify=verify)
    assert service.requests == []


def test_a_throw_away_authority_is_trusted_only_by_those_who_name_it(
    manager, serve, strangers, authority, monkeypatch
):
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    service = serve(tls=True)
    with IAPClient(service.origin(SERVICE), auth_manager=manager) as client:
        with pytest.raises(ServiceUnreachableError, match="certificate"):
            client.get("/a")
        assert client.get_json("/a", verify=str(authority.file)) == {"here": True}


def by_requests(manager, method, url):
    with requests.Session() as session:
        session.request(method, url, auth=RequestsAuth(manager), timeout=10)


def by_requests_session(manager, method, url):
    with requests.Session() as session:
        session.auth = RequestsAuth(manager)
        session.request(method, url, timeout=10)


def by_httpx(manager, method, url):
    with httpx.Client(auth=HTTPXAuth(manager), follow_redirects=True) as client:
        client.request(method, url)


def by_httpx_async(manager, method, url):
    async def call():
        async with httpx.AsyncClient(auth=HTTPXAuth(manager), follow_redirects=True) as client:
            await client.request(method, url)

    asyncio.run(call())


def by_authorized_session(manager, method, url):
    with AuthorizedSession(manager.credentials) as session:
        session.request(method, url)


CLIENTS = [by_requests, by_requests_session, by_httpx, by_httpx_async, by_authorized_session]


@pytest.mark.parametrize("call", CLIENTS)
@pytest.mark.parametrize("status", STATUSES)
def test_other_clients_hand_the_token_to_nobody_else(manager, serve, strangers, call, status):
    """Adapters in other clients send no token to a redirect's target."""
    location = {}
    service = serve(lambda _request: Reply.redirect(status, location["now"]), tls=True)
    for what, target in foreign_targets(*strangers, service):
        location["now"] = target
        # Of the two methods, the one that such a redirect makes the most of.
        with suppress(requests.RequestException, httpx.HTTPError, httpx.InvalidURL):
            call(manager, "POST" if status in {307, 308} else "GET", f"{service.origin(SERVICE)}/start")
        assert_no_token(received(*strangers), manager)
        assert service.requests[-1].bearer is not None, what
    assert received(*strangers), "the redirects were followed"
