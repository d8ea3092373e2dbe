from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_auth_manager import response, signed_in, stored
from tokentoss import (
    APIClient,
    AuthManager,
    ConfigurationError,
    FileStorage,
    IAPClient,
    MemoryStorage,
    NoCredentialsError,
    ServiceError,
    TokenRefreshError,
)
from tokentoss.clients.errors import (
    ServiceAudienceMismatchError,
    ServiceForbiddenError,
    ServiceRedirectError,
    ServiceSignInRedirectError,
    ServiceUnauthenticatedError,
)

Make = Callable[..., AuthManager]


@pytest.fixture
def manager(make_manager: Make, fake: FakeProvider) -> AuthManager:
    return signed_in(make_manager, fake)


@pytest.fixture
def client(service: FakeProvider, manager: AuthManager) -> Iterator[IAPClient]:
    with IAPClient(service.issuer, auth_manager=manager) as client:
        yield client


def tokens_seen(service: FakeProvider) -> list[str | None]:
    return [headers.get("Authorization") for _, _, headers, _ in service.requests]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_every_method_carries_the_token(client: IAPClient, service: FakeProvider, method: str) -> None:
    """Every method sends the token once, in the Authorization header (C49)."""
    handler = service.server.RequestHandlerClass
    for name in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        setattr(handler, f"do_{name}", handler.do_POST)  # type: ignore[attr-defined]
    service.answers["/api/data"] = Answer(200, b"")
    response = getattr(client, method)("/api/data", headers={"X-Mine": "1"})
    assert response.status_code == 200
    token = client._tokens.current()
    ((sent_method, target, headers, _),) = service.requests
    assert (sent_method, target) == (method.upper(), "/api/data")
    assert headers["Authorization"] == f"Bearer {token}"
    assert headers["X-Mine"] == "1"
    assert list(headers.values()).count(f"Bearer {token}") == 1


def test_json(client: IAPClient, service: FakeProvider) -> None:
    service.answers["/api"] = Answer.json({"a": 1})
    assert client.get_json("/api") == {"a": 1}
    assert client.post_json("api", {"b": 2}) == {"a": 1}


def test_a_password_of_netrc_does_not_replace_the_token(
    client: IAPClient, service: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client._session.trust_env = True
    client.get("/api")
    assert str(tokens_seen(service)[0]).startswith("Bearer ")


def test_a_proxy_of_the_environment_does_not_see_loopback(
    manager: AuthManager, service: FakeProvider, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", fake.issuer)
    monkeypatch.setenv("no_proxy", "")
    IAPClient(service.issuer, auth_manager=manager).get("/api")
    assert service.calls("/api") == 1
    assert fake.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://service.example",
        "https://",
        "ftp://service.example",
        "javascript:alert(1)",
        "service.example",
        "https://user@service.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
    ],
)
def test_the_service_must_be_secure(address: str) -> None:
    """An insecure base_url is refused, and the message names that address (C73, C75, E12)."""
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient(address)
    assert refusal.value.code == "address_insecure"
    said = str(refusal.value)
    if "@" in address:
        assert said.startswith("A user name and a password don't belong in this address: base_url 'http")
    else:
        assert said.endswith(
            " must start with https:// (http:// only on this computer). Correct that address."
        )


def test_certificates_cannot_be_ignored(client: IAPClient, service: FakeProvider) -> None:
    """A call with verify=False is refused, and no request is sent (C75)."""
    with pytest.raises(ConfigurationError, match="verify"):
        client.get("/api", verify=False)
    assert service.requests == []


def test_the_token_stays_within_its_origin(
    client: IAPClient, service: FakeProvider, fake: FakeProvider
) -> None:
    """A call to another scheme, host or port, or a lookalike host, is refused (C73)."""
    port = service.issuer.rsplit(":", 1)[1]
    for address in (
        fake.issuer + "/x",
        f"https://127.0.0.1:{port}/x",
        f"http://localhost:{port}/x",
        f"http://127.0.0.1.evil.example:{port}/x",
        f"http://127.0.0.1:{port}@evil.example/x",
        "https://evil.example/x",
        "HTTP://evil.example/x",
    ):
        with pytest.raises(ConfigurationError) as refusal:
            client.get(address)
        assert refusal.value.code == "origin_not_allowed"
    assert fake.requests == service.requests == []
    assert client.get(service.issuer.replace("http", "HTTP") + "/x").status_code == 404


def test_a_path_needs_a_base(manager: AuthManager, service: FakeProvider) -> None:
    service.answers["/api"] = Answer(404)
    client = IAPClient(auth_manager=manager)
    with pytest.raises(ValueError, match="base_url"):
        client.get("/api")
    assert client.get(service.issuer + "/api").status_code == 404
    with pytest.raises(ConfigurationError):
        client.get("http://service.example/api")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_the_origin_are_followed(
    client: IAPClient, service: FakeProvider, status: int
) -> None:
    """A redirect within the origin is followed, with the token, for every redirect status (C73)."""
    service.answers["/old"] = Answer(status, b"", {"Location": "/new?a=1"})
    service.answers["/new"] = Answer.json({"moved": True})
    assert client.get_json("/old", params={"q": "1"}) == {"moved": True}
    assert [target for _, target, _, _ in service.requests] == ["/old?q=1", "/new?a=1"]
    assert all(tokens_seen(service))
    service.requests.clear()
    response = client.post("/old", data={"form": "1"})
    method, _, _, form = service.requests[1]
    assert (method, form) == (("POST", {"form": "1"}) if status in {307, 308} else ("GET", {}))
    assert [one.status_code for one in response.history] == [status]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_elsewhere_are_not(
    client: IAPClient, service: FakeProvider, fake: FakeProvider, status: int
) -> None:
    """A redirect to another origin is not followed, and get_json raises service_redirected (C73)."""
    service.answers["/old"] = Answer(status, b"", {"Location": fake.issuer + "/steal"})
    response = client.post("/old", headers={"X-Api-Key": "mine"}, data="body")
    assert response.status_code == status
    assert fake.requests == []
    with pytest.raises(ServiceRedirectError) as refusal:
        client.get_json("/old")
    assert refusal.value.code == "service_redirected"
    assert fake.issuer in str(refusal.value)


def test_a_redirect_chain_is_checked_at_every_hop(
    client: IAPClient, service: FakeProvider, fake: FakeProvider
) -> None:
    """Redirects end before another origin and after ten hops (C73)."""
    service.answers["/1"] = Answer(302, b"", {"Location": "/2"})
    service.answers["/2"] = Answer(302, b"", {"Location": fake.issuer + "/steal"})
    assert client.get("/1").status_code == 302
    service.answers["/loop"] = Answer(302, b"", {"Location": "/loop"})
    assert client.get("/loop").status_code == 302
    assert service.calls("/loop") == 11
    assert client.get("/1", allow_redirects=False).url.endswith("/1")
    assert fake.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "https://accounts.google.com/o/oauth2/v2/auth?client_id=x&response_type=code",
        "https://accounts.google.com/ServiceLogin",
        "https://login.example/authorize?response_type=code&client_id=x",
    ],
)
def test_a_redirect_to_a_sign_in_page_is_told(
    client: IAPClient, service: FakeProvider, location: str
) -> None:
    """A redirect to a sign-in page raises ServiceSignInRedirectError, which names the service (C74)."""
    service.answers["/api"] = Answer(302, b"", {"Location": location})
    with pytest.raises(ServiceSignInRedirectError) as refusal:
        client.get_json("/api")
    assert refusal.value.code == "service_sign_in_redirect"
    assert service.issuer in str(refusal.value)
    assert isinstance(refusal.value, requests.HTTPError)


def test_refusals_are_told_apart(client: IAPClient, service: FakeProvider, fake: FakeProvider) -> None:
    fake.answers["/token"] = Answer(503)
    for answer, error, code in (
        (
            Answer(401, b"Invalid IAP credentials: empty token"),
            ServiceUnauthenticatedError,
            "service_unauthenticated",
        ),
        (Answer(401, b"Invalid JWT audience"), ServiceAudienceMismatchError, "service_audience_mismatch"),
        (Answer(403, b"You don't have access"), ServiceForbiddenError, "service_forbidden"),
    ):
        service.answers["/api"] = answer
        for call in (client.get_json, client.post_json):
            with pytest.raises(error) as refusal:
                call("/api")
            assert refusal.value.code == code
            assert refusal.value.response.status_code == answer.status
            assert "Authorization" not in refusal.value.request.headers
            assert "Bearer" not in str(refusal.value)
            assert isinstance(refusal.value, ServiceError)


def test_other_statuses_are_what_requests_makes_of_them(client: IAPClient, service: FakeProvider) -> None:
    service.answers["/api"] = Answer(500, b"oops")
    with pytest.raises(requests.HTTPError) as failure:
        client.get_json("/api")
    assert not isinstance(failure.value, ServiceError)
    assert client.get("/api").status_code == 500


def test_a_401_renews_once_and_repeats(client: IAPClient, service: FakeProvider, fake: FakeProvider) -> None:
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(jti="new")))
    first = client._tokens.current()

    def check(form: dict[str, str]) -> Answer:
        again = service.requests[-1][2]["Authorization"] != f"Bearer {first}"
        return Answer.json(form) if again else Answer(401)

    service.answers["/api"] = check
    assert client.post("/api", data={"a": "1"}).json() == {"a": "1"}
    assert fake.calls("/token") == 1
    service.answers["/never"] = Answer(401)
    assert client.get("/never").status_code == 401
    assert service.calls("/never") == 1, "P5: a token that was just renewed is not renewed again"


def test_a_body_that_cannot_be_sent_again_is_not(
    client: IAPClient, service: FakeProvider, fake: FakeProvider
) -> None:
    fake.answers["/token"] = Answer.json(fake.token_response())
    service.answers["/api"] = Answer(401)
    for arguments in ({"data": io.BytesIO(b"x")}, {"data": iter([b"x"])}, {"files": {"f": io.BytesIO(b"x")}}):
        before = service.calls("/api")
        assert client.post("/api", **arguments).status_code == 401
        assert service.calls("/api") == before + 1
    assert fake.calls("/token") == 0


def test_a_401_that_cannot_be_renewed_is_the_answer(
    client: IAPClient, service: FakeProvider, fake: FakeProvider
) -> None:
    fake.answers["/token"] = Answer(503)
    service.answers["/api"] = Answer(401, b"why")
    assert client.get("/api").text == "why"


def test_the_order_of_discovery(
    service: FakeProvider,
    fake: FakeProvider,
    make_manager: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def used(client: IAPClient) -> Any:
        client.get("/api")
        return tokens_seen(service)[-1]

    by_default = stored(fake, claims={"jti": "default"})
    FileStorage().save(by_default)
    assert used(IAPClient(service.issuer, provider=fake.issuer)) == f"Bearer {by_default.id_token}"
    named = stored(fake, claims={"jti": "named"})
    path = tmp_path / "named.json"
    FileStorage(path).save(named)
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", str(path))
    assert used(IAPClient(service.issuer, provider=fake.issuer)) == f"Bearer {named.id_token}"
    public = signed_in(make_manager, fake, claims={"jti": "public", "sub": "user-2"})
    assert used(IAPClient(service.issuer, provider=fake.issuer)) == f"Bearer {public.id_token}"
    given = signed_in(make_manager, fake, claims={"jti": "given"})
    tokentoss.CREDENTIALS = public.credentials
    assert used(IAPClient(service.issuer, auth_manager=given)) == f"Bearer {given.id_token}"
    assert used(IAPClient(service.issuer, given)) == f"Bearer {given.id_token}"
    client = IAPClient(service.issuer, auth_manager=given)
    given.clear()
    before = len(service.requests)
    for one in (client, IAPClient(service.issuer, auth_manager=given)):
        with pytest.raises(NoCredentialsError, match="auth_manager"):
            one.get("/api")
    assert len(service.requests) == before, "E1: the manager that is given is the only source"


def test_a_client_stays_with_its_account(
    service: FakeProvider, fake: FakeProvider, make_manager: Make
) -> None:
    """After a sign-out, a client works again only once the same account signs in (E1)."""
    service.answers["/api"] = Answer.json({})
    FileStorage().save(stored(fake, claims={"sub": "user-2"}, subject="user-2"))
    first = signed_in(make_manager, fake)
    client = IAPClient(service.issuer, provider=fake.issuer)
    client.get("/api")
    first.sign_out()
    with pytest.raises(NoCredentialsError) as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
    assert "Sign in again with the same account" in str(ended.value)
    assert "ada@example.com" in str(ended.value)
    signed_in(make_manager, fake, claims={"sub": "user-3"})
    with pytest.raises(NoCredentialsError):
        client.get("/api")
    assert len(service.requests) == 1
    again = make_manager(storage=MemoryStorage())
    again.accept(response(fake, id_token=fake.id_token(nonce="n", jti="again")), nonce="n")
    client.get("/api")
    assert tokens_seen(service)[-1] == f"Bearer {again.id_token}"


def test_a_repetition_does_not_go_out_as_somebody_else(
    service: FakeProvider, fake: FakeProvider, make_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused call is not repeated with another account's token (E1)."""
    service.answers["/api"] = Answer(401)
    signed_in(make_manager, fake)
    somebody_else = fake.id_token(sub="user-2")
    monkeypatch.setattr(AuthManager, "id_token_after", lambda *_: somebody_else)
    assert IAPClient(service.issuer, provider=fake.issuer).get("/api").status_code == 401
    assert len(service.requests) == 1


def test_a_call_does_not_go_out_as_somebody_else(
    service: FakeProvider, fake: FakeProvider, make_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call is not sent with the token of an account that signs in meanwhile (E1)."""
    service.answers["/api"] = Answer.json({})
    manager = signed_in(make_manager, fake)
    client = APIClient(service.issuer, provider=fake.provider())
    client.get("/api")

    def late(own: AuthManager) -> str:
        own.accept(response(fake, id_token=fake.id_token(nonce="n", sub="user-2")), nonce="n")
        return "access-of-user-2"

    monkeypatch.setattr(AuthManager, "access_token", property(late))
    with pytest.raises(NoCredentialsError) as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
    assert len(service.requests) == 1
    del manager


def test_nobody_is_signed_in(service: FakeProvider, make_manager: Make) -> None:
    with pytest.raises(NoCredentialsError, match="auth_manager"):
        IAPClient(service.issuer, auth_manager=make_manager()).get("/api")
    with pytest.raises(NoCredentialsError) as refusal:
        IAPClient(service.issuer).get("/api")
    for place in ("tokentoss.CREDENTIALS", "tokens.json"):
        assert place in str(refusal.value)
    assert service.requests == []


def test_a_token_file_that_is_no_use(service: FakeProvider, fake: FakeProvider) -> None:
    storage = FileStorage()
    for tokens in (
        stored(fake, expires_in=-10),
        stored(fake, id_token=""),
        stored(fake, signature_checked=False),
    ):
        storage.save(tokens)
        with pytest.raises(NoCredentialsError, match=r"tokens\.json"):
            IAPClient(service.issuer, provider=fake.issuer).get("/api")
    storage.path.write_text("{")
    with pytest.raises(NoCredentialsError, match=r"tokens\.json"):
        IAPClient(service.issuer, provider=fake.issuer).get("/api")
    assert service.requests == []


def test_an_expired_session_says_why(service: FakeProvider, fake: FakeProvider, make_manager: Make) -> None:
    fake.answers["/token"] = Answer(503)
    client = IAPClient(service.issuer, auth_manager=signed_in(make_manager, fake, expires_in=-10))
    with pytest.raises(TokenRefreshError) as refusal:
        client.get("/api")
    assert refusal.value.code == "token_endpoint_failed"
    assert service.requests == []


def test_connections_are_kept(client: IAPClient, service: FakeProvider) -> None:
    sessions = {
        id(client._session.get_adapter(service.issuer)) for _ in range(3) if client.get("/api") is not None
    }
    assert len(sessions) == 1
    pools = client._session.get_adapter(service.issuer).poolmanager.pools
    assert len(pools) == 1
    assert pools[next(iter(pools.keys()))].num_connections == 1


def test_the_timeout_is_the_clients(manager: AuthManager, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def send(self: Any, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        seen.append(named["timeout"])
        response = requests.Response()
        response.status_code, response.request = 200, request
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    client = IAPClient("https://service.example/", manager, 7)
    assert client.base_url == "https://service.example"
    client.get("x")
    client.get("x", timeout=1)
    assert seen == [7, 1]


def test_further_origins_are_allowed_on_purpose(
    manager: AuthManager, service: FakeProvider, fake: FakeProvider
) -> None:
    """Origins in allowed_origins get the token, directly and by redirect; others do not (C73)."""
    client = IAPClient(service.issuer, manager, allowed_origins=[fake.issuer + "/ignored/path"])
    service.answers["/old"] = Answer(307, b"", {"Location": fake.issuer + "/new"})
    fake.answers["/new"] = Answer.json({"moved": True})
    assert client.get_json("/old") == client.get_json(fake.issuer + "/new") == {"moved": True}
    assert len([token for token in tokens_seen(fake) if token]) == 2
    fake.answers["/new"] = Answer(302, b"", {"Location": "https://evil.example/"})
    assert client.get("/old").status_code == 302
    with pytest.raises(ConfigurationError):
        client.get("https://evil.example/")
    assert IAPClient(service.issuer, manager, allowed_origins=fake.issuer)._origins == client._origins


@pytest.mark.parametrize("origin", ["http://service.example", "service.example", "*", ""])
def test_further_origins_must_be_secure(origin: str) -> None:
    """An entry of allowed_origins that is not a secure origin is refused (C73)."""
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient("https://service.example", allowed_origins=[origin])
    assert refusal.value.code == "address_insecure"


def test_without_a_base_an_address_is_the_callers_choice_for_that_call(
    manager: AuthManager, service: FakeProvider, fake: FakeProvider
) -> None:
    """Without base_url, a redirect to another origin is not followed (C73)."""
    client = IAPClient(auth_manager=manager)
    for server in (service, fake):
        server.answers["/api"] = Answer.json({})
        assert client.get_json(server.issuer + "/api") == {}
        assert tokens_seen(server)[-1]
    service.answers["/old"] = Answer(302, b"", {"Location": fake.issuer + "/api"})
    before = len(fake.requests)
    assert client.get(service.issuer + "/old").status_code == 302
    assert len(fake.requests) == before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "{other}/x",
        "http://localhost:{port}/x",
        "http://sub.127.0.0.1.nip.example:{port}/x",
        "//evil.example/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}@evil.example/x",
        "javascript:alert(1)",
        "\\\\evil.example/x",
    ],
)
def test_the_redirect_table(
    client: IAPClient, service: FakeProvider, fake: FakeProvider, status: int, target: str
) -> None:
    """A redirect to another origin, or to a lookalike address, is not followed (C73)."""
    port = service.issuer.rsplit(":", 1)[1]
    location = target.format(other=fake.issuer, port=port)
    service.answers["/old"] = Answer(status, b"", {"Location": location})
    for method in ("GET", "POST", "PUT"):
        assert client.request(method, "/old").status_code in {status, 501}
    assert fake.requests == []
    assert {path for _, path, _, _ in service.requests} == {"/old"}


def test_a_redirect_from_https_to_http_is_a_foreign_origin(
    manager: AuthManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect from https to http on the same host is not followed (C73)."""
    sent: list[str] = []

    def send(self: Any, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        url = str(request.url)
        sent.append(url)
        response = requests.Response()
        response.status_code, response.url, response.request = 302, url, request
        response.headers["location"] = url.replace("https", "http") + "again"
        response._content = b""
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    assert IAPClient("https://service.example", manager).get("/api").status_code == 302
    assert sent == ["https://service.example/api"]


def test_the_expected_audience(manager: AuthManager, service: FakeProvider) -> None:
    service.answers["/api"] = Answer.json({})
    with pytest.raises(ServiceAudienceMismatchError) as refusal:
        IAPClient(service.issuer, manager, expected_audience="another-client").get("/api")
    assert refusal.value.code == "service_audience_mismatch"
    assert refusal.value.response is None
    assert service.requests == []
    assert IAPClient(service.issuer, manager, expected_audience=CLIENT_ID).get_json("/api") == {}


def test_an_audience_in_the_challenge_is_told(
    client: IAPClient, service: FakeProvider, fake: FakeProvider
) -> None:
    """A challenge about the audience raises its own error (RFC 6750 section 3)."""
    fake.answers["/token"] = Answer(503)
    challenge = 'Bearer error="invalid_token", error_description="wrong audience"'
    service.answers["/api"] = Answer(401, b"<html>", {"WWW-Authenticate": challenge})
    with pytest.raises(ServiceAudienceMismatchError):
        client.get_json("/api")


def test_a_401_that_newer_tokens_do_not_help_against_tires_nobody(
    client: IAPClient, service: FakeProvider, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    fake.answers["/token"] = lambda _form: Answer.json(
        fake.token_response(id_token=fake.id_token(jti=str(len(fake.requests))))
    )
    service.answers["/api"] = Answer(401)
    for _ in range(5):
        assert client.get("/api").status_code == 401
    assert (fake.calls("/token"), service.calls("/api")) == (1, 6)
    clock[0] += 61
    client.get("/api")
    assert fake.calls("/token") == 2


def test_a_401_is_answered_with_a_token_that_somebody_else_renewed(
    client: IAPClient, manager: AuthManager, service: FakeProvider, fake: FakeProvider
) -> None:
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(jti="newer")))
    first = manager.id_token

    def refuse(_form: dict[str, str]) -> Answer:
        if tokens_seen(service)[-1] != f"Bearer {first}":
            return Answer.json({})
        manager.refresh_tokens()
        return Answer(401)

    service.answers["/api"] = refuse
    assert client.get_json("/api") == {}
    assert fake.calls("/token") == 1
