"""Services behind access proxies: headers, sign-in pages, answers that are not JSON, cookies, pickles."""

from __future__ import annotations

import logging
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import tokentoss
from fake_provider import Answer, FakeProvider
from network import ConnectProxy, blackhole, resolver
from page import Page
from test_adapters import async_call, authorizations, httpx_call, requests_call, ways
from test_auth_manager import response, signed_in
from test_widget import from_page
from tokentoss import (
    APIClient,
    AuthManager,
    AuthWidget,
    ConfigurationError,
    HTTPXAuth,
    IAPClient,
    RequestsAuth,
)
from tokentoss.clients.errors import (
    ServiceAnswerError,
    ServiceAudienceMismatchError,
    ServiceError,
    ServiceRedirectError,
    ServiceSignInRedirectError,
    ServiceUnauthenticatedError,
    ServiceUnreachableError,
)

Make = Callable[..., AuthManager]


@pytest.fixture
def manager(make_manager: Make, fake: FakeProvider) -> AuthManager:
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(jti="newer")))
    return signed_in(make_manager, fake)


@pytest.fixture
def client(service: FakeProvider, manager: AuthManager) -> Iterator[IAPClient]:
    with IAPClient(service.issuer, auth_manager=manager) as client:
        yield client


@pytest.mark.parametrize("header", ["Proxy-Authorization", "X-Serverless-Authorization"])
@pytest.mark.parametrize("own", [{"headers": {"Authorization": "mine"}}, {"auth": ("ada", "mine")}])
def test_the_token_in_another_header(
    service: FakeProvider, manager: AuthManager, header: str, own: dict[str, Any]
) -> None:
    """With another header for the token, the caller's own Authorization is sent as well (F7)."""
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    assert IAPClient(service.issuer, manager, header=header).get_json("/old", **own) == {"ok": True}
    for _, _, headers, _ in service.requests:
        assert headers[header] == f"Bearer {manager.id_token}"
        assert headers["Authorization"] == "mine" or headers["Authorization"].startswith("Basic ")


def test_a_collision_is_refused_aloud(client: IAPClient, service: FakeProvider, manager: AuthManager) -> None:
    """A call that sets the token's own header is refused with authorization_taken (F7)."""
    other = IAPClient(service.issuer, manager, header="Proxy-Authorization")
    for one, own in (
        (client, {"headers": {"authorization": "mine"}}),
        (client, {"auth": ("ada", "mine")}),
        (other, {"headers": {"proxy-authorization": "mine"}}),
    ):
        with pytest.raises(ConfigurationError) as refusal:
            one.get("/api", **own)
        assert refusal.value.code == "authorization_taken"
        assert "mine" not in str(refusal.value)
    with pytest.raises(ConfigurationError, match="Cookie"):
        IAPClient(service.issuer, manager, header="Cookie")
    assert service.requests == []


@ways
def test_an_adapter_refuses_a_collision(
    manager: AuthManager, service: FakeProvider, call: Callable[..., int]
) -> None:
    """An adapter refuses an Authorization header of the call or of the session (F7)."""
    with pytest.raises(ConfigurationError) as refusal:
        call(manager, service.issuer + "/api", headers={"Authorization": "mine"})
    assert refusal.value.code == "authorization_taken"
    session = requests.Session()
    session.headers["Authorization"] = "mine"
    with pytest.raises(ConfigurationError):
        session.get(service.issuer + "/api", auth=RequestsAuth(manager))
    assert service.requests == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(401, b"no such user"), "service_refused_call"),
        (Answer(401, b"wrong audience, said the app"), "service_refused_call"),
        (Answer(401, b"x", {"X-Goog-IAP-Generated-Response": "true"}), "service_unauthenticated"),
        (Answer(401, b"x", {"WWW-Authenticate": 'Bearer error="invalid_token"'}), "service_unauthenticated"),
        (Answer(401, b"Invalid IAP credentials: Invalid JWT audience"), "service_audience_mismatch"),
        (Answer(401, b"Invalid GCIP ID token"), "service_external_identities"),
    ],
)
def test_whose_401_it_is(client: IAPClient, service: FakeProvider, answer: Answer, code: str) -> None:
    """A 401 is reported as the proxy's or as the application's own, as its answer shows (F7)."""
    service.answers["/api"] = answer
    with pytest.raises(ServiceError) as refusal:
        client.get_json("/api")
    assert refusal.value.code == code
    kinds = (ServiceUnauthenticatedError, ServiceAudienceMismatchError)
    assert isinstance(refusal.value, kinds)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("https://team.cloudflareaccess.com/cdn-cgi/access/login/app.example?kid=1", "service_sign_in_page"),
        ("https://idp.example/adfs/ls/?SAMLRequest=abc&RelayState=x", "service_sign_in_page"),
        ("https://company.example/login?next=/api", "service_sign_in_page"),
        ("https://auth.example/?apiKey=AIza&mode=login&tid=1", "service_external_identities"),
        ("https://login.example/authorize?response_type=code&client_id=x", "service_sign_in_redirect"),
    ],
)
def test_sign_in_pages(client: IAPClient, service: FakeProvider, location: str, code: str) -> None:
    """The error for a redirect to a sign-in page does not suggest another base_url (F6)."""
    service.answers["/api"] = Answer(302, b"", {"Location": location})
    with pytest.raises(ServiceSignInRedirectError) as refusal:
        client.get_json("/api")
    assert refusal.value.code == code
    assert "base_url" not in str(refusal.value)


def test_any_other_redirect(client: IAPClient, service: FakeProvider) -> None:
    """The error for a redirect to another origin does not suggest a different base_url (F6)."""
    service.answers["/api"] = Answer(302, b"", {"Location": "https://elsewhere.example/data"})
    with pytest.raises(ServiceRedirectError) as refusal:
        client.get_json("/api")
    assert refusal.value.code == "service_redirected"
    assert "base_url" not in str(refusal.value)


def test_answers_that_are_no_json(client: IAPClient, service: FakeProvider) -> None:
    """An answer that is not JSON gives an error with status, type and address, without query (F5)."""
    page = {"Content-Type": "text/html; charset=utf-8"}
    service.answers["/api"] = Answer(200, b"<html>Sign in</html>", page)
    with pytest.raises(ServiceAnswerError) as refusal:
        client.get_json("/api?key=private")
    assert refusal.value.code == "service_answer_not_json"
    assert str(refusal.value).startswith(f"{service.issuer}/api (200, text/html) didn't answer with JSON")
    assert "sign-in page" in str(refusal.value)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.response.text == "<html>Sign in</html>"
    service.answers["/api"] = Answer(204, b"", {})
    with pytest.raises(ServiceAnswerError) as empty:
        client.post_json("/api", {})
    assert empty.value.code == "service_answer_empty"
    assert "(204)" in str(empty.value)


@pytest.mark.parametrize(
    "path",
    ["../x", "/../x", "a/../../x", "%2e%2e/x", "..%2fx", "%252e%252e/x", "..\\x", "a/..;/../x", "..;/x"],
)
def test_a_path_stays_below_its_base(manager: AuthManager, service: FakeProvider, path: str) -> None:
    """A path that leaves the base is refused in any spelling, and no request is sent (S17)."""
    client = IAPClient(service.issuer + "/app", manager)
    with pytest.raises(ConfigurationError) as refusal:
        client.get(path)
    assert refusal.value.code == "path_outside_base"
    assert service.requests == []
    for fine in ("a/../b", "x?next=../y", "..a/b", "a..b"):
        client.get(fine)
    assert all(target.startswith("/app/") for _, target, _, _ in service.requests)


def test_cookies_of_one_account(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    """Cookies set for one account are not sent in calls of another account (S11)."""
    manager = signed_in(make_manager, fake)
    service.answers["/api"] = Answer.json({}, Set_Cookie="session=of-ada; Path=/")
    client = IAPClient(service.issuer, manager)
    client.get("/api")
    client.get("/api")
    other = fake.id_token(sub="user-2", nonce="n")
    manager.accept(response(fake, id_token=other), nonce="n")
    client.get("/api")
    assert [headers.get("Cookie") for _, _, headers, _ in service.requests] == [None, "session=of-ada", None]


def pickled(value: Any) -> bytes:
    return pickle.dumps(value) + repr(vars(value)).encode()


def test_answers_of_clients_hold_no_token(
    client: IAPClient, service: FakeProvider, manager: AuthManager
) -> None:
    """Responses, redirects, errors and tracebacks of a client hold no token (S12)."""
    token = str(manager.id_token)
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    answer = client.get("/old")
    assert [one.status_code for one in answer.history] == [302]
    for one in (answer, *answer.history):
        assert "Authorization" not in one.request.headers
        assert token.encode() not in pickled(one)
    service.answers["/api"] = Answer(403)
    service.close()
    for call in (lambda: client.get_json("/api"), lambda: IAPClient("http://127.0.0.1:1", manager).get("/x")):
        with pytest.raises(requests.RequestException) as failure:
            call()
        chain = traceback.TracebackException.from_exception(failure.value, capture_locals=True)
        text = "".join(chain.format()).replace(f"token = {token!r}", "")
        assert token not in text
        assert getattr(failure.value, "request", None) is None or token.encode() not in pickled(failure.value)


def test_answers_of_requests_hold_no_token(manager: AuthManager, service: FakeProvider) -> None:
    """Responses and errors of requests, with their redirects, hold no token (S12)."""
    token = str(manager.id_token)
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    answer = requests.get(service.issuer + "/old", auth=RequestsAuth(manager))
    assert authorizations(service) == [f"Bearer {token}"] * 2
    for one in (answer, *answer.history):
        assert "Authorization" not in one.request.headers
        assert token.encode() not in pickled(one)
    with pytest.raises(requests.ConnectionError) as failure:
        requests.get("http://127.0.0.1:1/", auth=RequestsAuth(manager))
    assert token.encode() not in pickle.dumps(failure.value.request)
    assert token not in repr(vars(failure.value.request))


def test_answers_of_httpx_hold_no_token(manager: AuthManager, service: FakeProvider) -> None:
    """Responses and errors of httpx, with their redirects, hold no token (S12)."""
    token = str(manager.id_token)
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    with httpx.Client(auth=HTTPXAuth(manager), follow_redirects=True, trust_env=False) as client:
        answer = client.get(service.issuer + "/old")
        assert authorizations(service) == [f"Bearer {token}"] * 2
        for one in (answer, *answer.history):
            assert "Authorization" not in one.request.headers
            assert token.encode() not in pickle.dumps(one)
        with pytest.raises(httpx.ConnectError) as failure:
            client.get("http://127.0.0.1:1/")
    assert "Authorization" not in failure.value.request.headers


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectProxy]:
    proxy = ConnectProxy()
    with proxy.running() as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        yield proxy


def test_a_proxy_does_not_see_loopback(
    proxy: ConnectProxy, manager: AuthManager, service: FakeProvider
) -> None:
    """A client's calls to loopback never go through a proxy, even one that the call names (F15)."""
    for client in (
        IAPClient(service.issuer, manager),
        IAPClient(auth_manager=manager),
        IAPClient("https://service.example", manager, allowed_origins=[service.issuer]),
    ):
        assert client.get_json(service.issuer + "/api") == {"ok": True}
        own = {"http": "http://127.0.0.1:1"}
        assert client.get_json(service.issuer + "/api", proxies=own) == {"ok": True}
    assert proxy.requests == []


@ways
def test_an_adapter_sends_no_token_to_a_proxy_in_clear(
    proxy: ConnectProxy,
    manager: AuthManager,
    service: FakeProvider,
    call: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An adapter refuses a loopback call that a proxy would see, and names NO_PROXY (F15)."""
    with pytest.raises(ConfigurationError) as refusal:
        call(manager, service.issuer + "/api")
    assert refusal.value.code == "proxy_for_loopback"
    assert "proxy would send" in str(refusal.value)
    assert "NO_PROXY=localhost,127.0.0.1,::1" in str(refusal.value)
    assert proxy.requests == service.requests == []
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1,::1")
    assert call(manager, service.issuer + "/api") == 200


def test_a_password_of_netrc_never_replaces_the_token(
    manager: AuthManager, service: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A password in netrc does not replace the token, even after a redirect (F16)."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    service.answers["/old"] = Answer(302, b"", {"Location": "/api"})
    with requests.Session() as session:
        assert session.get(service.issuer + "/old", auth=RequestsAuth(manager)).status_code == 200
    assert IAPClient(service.issuer, manager).get("/old").status_code == 200
    assert authorizations(service) == [f"Bearer {manager.id_token}"] * 4


@pytest.mark.parametrize("call", [requests_call, httpx_call, async_call])
def test_refused_calls_share_one_throttle(
    manager: AuthManager, fake: FakeProvider, service: FakeProvider, call: Callable[..., int]
) -> None:
    """Twenty refused calls cause one token request (P5)."""
    fake.answers["/token"] = lambda _: Answer.json(
        fake.token_response(id_token=fake.id_token(jti=str(len(fake.requests))))
    )
    service.answers["/api"] = Answer(401)
    for _ in range(20):
        assert call(manager, service.issuer + "/api") == 401
    assert (fake.calls("/token"), service.calls("/api")) == (1, 21)


@ways
def test_no_origin_is_none(manager: AuthManager, service: FakeProvider, call: Callable[..., int]) -> None:
    """An empty allowed_origins allows no further origin, in adapters and clients (P14)."""
    with pytest.raises(ConfigurationError) as refusal:
        call(manager, service.issuer + "/api", allowed_origins=())
    assert refusal.value.code == "origin_not_allowed"
    with pytest.raises(ConfigurationError):
        IAPClient("https://service.example", manager, allowed_origins=()).get(service.issuer + "/api")
    assert service.requests == []


def test_adapters_carry_access_tokens(manager: AuthManager, service: FakeProvider) -> None:
    """Both adapters send the access token with access_token=True (P14)."""
    requests.get(service.issuer + "/api", auth=RequestsAuth(manager, access_token=True))
    httpx.get(service.issuer + "/api", auth=HTTPXAuth(manager, access_token=True), trust_env=False)
    assert authorizations(service) == [f"Bearer {manager.access_token}"] * 2


def test_errors_are_exported() -> None:
    """The package exports ServiceUnreachableError and every direct subclass of ServiceError (P14)."""
    kinds = {kind.__name__ for kind in (*ServiceError.__subclasses__(), ServiceUnreachableError)}
    assert kinds <= set(tokentoss.__all__)


def test_a_service_that_cannot_be_reached(manager: AuthManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable service gives a typed error, within one timeout for all addresses (F2, S10)."""
    monkeypatch.setattr(socket, "getaddrinfo", resolver({}))
    with pytest.raises(ServiceUnreachableError) as unknown:
        APIClient("https://no.such.example", auth_manager=manager).get("/")
    assert unknown.value.code == "host_unknown"
    assert isinstance(unknown.value, requests.ConnectionError)
    with blackhole() as silent:
        monkeypatch.setattr(socket, "getaddrinfo", resolver({"silent.example": [silent] * 9}))
        with pytest.raises(ServiceUnreachableError) as unreachable:
            APIClient("https://silent.example", auth_manager=manager, timeout=0.3).get("/")
    assert unreachable.value.code == "service_unreachable"
    assert "no answer in time" in str(unreachable.value)


def test_an_exception_that_is_not_ours(
    widget: AuthWidget, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception is reported as kernel_error, with the exception's name (F3)."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("could not find a certificate bundle")

    monkeypatch.setattr(AuthManager, "accept", fail)
    with caplog.at_level(logging.CRITICAL):
        from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.auth_manager.last_error.code == "kernel_error"  # type: ignore[union-attr]
    assert "OSError" in str(widget.auth_manager.last_error)
