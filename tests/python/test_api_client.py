"""APIClient sends a provider's access token to one origin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_accounts import of
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
from tokentoss.clients.base import ServiceClient
from tokentoss.clients.errors import ServiceForbiddenError, ServiceScopeMissingError

Make = Callable[..., AuthManager]


@pytest.fixture
def service(service: FakeProvider) -> FakeProvider:
    service.answers["/api"] = Answer.json({"a": 1})
    return service


def bearers(service: FakeProvider) -> list[str]:
    return [headers["Authorization"].removeprefix("Bearer ") for _, _, headers, _ in service.requests]


def test_the_two_clients_share_their_code() -> None:
    assert APIClient.__mro__[1] is IAPClient.__mro__[1] is ServiceClient


def test_the_access_token_is_sent(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    manager = signed_in(make_manager, fake)
    with APIClient(service.issuer, auth_manager=manager) as client:
        assert client.get_json("/api") == {"a": 1}
        assert client.post_json("/api", {"b": 2}) == {"a": 1}
    assert bearers(service) == ["access-1", "access-1"]


def test_a_token_that_is_due_is_renewed(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response())
    APIClient(service.issuer, auth_manager=manager).get("/api")
    assert bearers(service) == ["access-2"]
    assert fake.calls("/token") == 1


def test_a_refused_token_is_renewed_once(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake)
    fake.answers["/token"] = Answer.json(fake.token_response())
    service.answers["/api"] = Answer(401)
    client = APIClient(service.issuer, auth_manager=manager)
    for _ in range(3):
        assert client.get("/api").status_code == 401
    assert bearers(service) == ["access-1", "access-2", "access-2", "access-2"]
    assert fake.calls("/token") == 1, "it was not the token's age"


def test_an_ended_grant_leaves_the_services_answer(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    service.answers["/api"] = Answer(401)
    client = APIClient(service.issuer, auth_manager=manager)
    assert client.get("/api").status_code == 401
    with pytest.raises(NoCredentialsError):
        client.get("/api")


def test_an_expired_token_that_cannot_be_renewed(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    with pytest.raises(TokenRefreshError):
        APIClient(service.issuer, auth_manager=manager).get("/api")
    assert service.requests == []


def test_the_token_goes_to_one_origin(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    """The token goes to the origin of base_url only, and verify=False is refused (C73)."""
    client = APIClient(service.issuer, auth_manager=signed_in(make_manager, fake))
    with pytest.raises(ConfigurationError) as refusal:
        client.get(fake.issuer + "/api")
    assert refusal.value.code == "origin_not_allowed"
    service.answers["/moved"] = Answer(302, b"", {"Location": fake.issuer + "/api"})
    with pytest.raises(ServiceError):
        client.get_json("/moved")
    assert fake.calls("/api") == 0
    for address in ("http://service.example", "ftp://x", "https://user@service.example"):
        with pytest.raises(ConfigurationError):
            APIClient(address, provider=fake.provider())
    with pytest.raises(ConfigurationError, match="verify"):
        client.get("/api", verify=False)


def test_the_latest_sign_in_is_meant(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    """The client uses the latest sign-in, even of several within one second."""
    managers = [signed_in(make_manager, fake) for _ in range(6)]
    client = APIClient(service.issuer, provider=fake.provider())
    for number, manager in enumerate([*managers, managers[3], managers[5], managers[0]]):
        manager.accept(response(fake, access_token=f"latest-{number}"), nonce="n")
        client.get("/api")
        assert bearers(service)[-1] == f"latest-{number}"


def test_a_missing_scope_is_named(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="x", error="insufficient_scope", scope="files"'}
    service.answers["/api"] = Answer(403, b"", challenge)
    client = APIClient(service.issuer, auth_manager=signed_in(make_manager, fake))
    with pytest.raises(ServiceScopeMissingError) as refusal:
        client.get_json("/api")
    assert refusal.value.code == "service_scope_missing"
    service.answers["/api"] = Answer(403)
    with pytest.raises(ServiceForbiddenError) as other:
        client.get_json("/api")
    assert other.value.code == "service_forbidden"


def test_whose_token_must_be_said(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="provider"):
        APIClient(service.issuer)
    manager = signed_in(make_manager, fake)
    other = fake.provider(token_endpoint=fake.issuer + "/other")
    with pytest.raises(ConfigurationError, match="isn't for"):
        APIClient(service.issuer, auth_manager=manager, provider=other)
    assert APIClient(service.issuer, auth_manager=manager, provider=fake.provider(name="Other"))


def test_the_latest_sign_in_at_the_provider(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    """The client uses the latest sign-in at its own provider."""
    other = fake.provider(name="Other", token_endpoint=fake.issuer + "/other")
    storage = MemoryStorage()
    storage.save(stored(fake, created_at="2026-01-01T00:00:00+00:00"))
    first = make_manager(storage=storage, max_session_lifetime_hours=10**6)
    latest = signed_in(make_manager, fake, access_token="latest", claims={"sub": "user-2"})
    elsewhere = make_manager(provider=other)
    elsewhere.storage.save(stored(fake, access_token="elsewhere"))
    elsewhere.reload()
    client = APIClient(service.issuer, provider=fake.provider(name="Whatever it is called"))
    client.get("/api")
    latest.sign_out()
    with pytest.raises(NoCredentialsError, match="Whatever") as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
    client = APIClient(service.issuer, provider=fake.provider())
    client.get("/api")
    assert bearers(service) == ["latest", "access-1"]
    first.sign_out()
    with pytest.raises(NoCredentialsError):
        client.get("/api")


def test_one_account_of_several(make_manager: Make, fake: FakeProvider, service: FakeProvider) -> None:
    ada = signed_in(make_manager, fake)
    grace = signed_in(
        make_manager, fake, access_token="hers", user_email="grace@example.com", claims={"sub": "user-2"}
    )
    for account in ("ADA@example.com", ada.account):
        APIClient(service.issuer, provider=fake.provider(), account=account).get("/api")
    assert bearers(service) == ["access-1", "access-1"]
    APIClient(service.issuer, provider=fake.provider(), account=grace.account).get("/api")
    assert bearers(service)[-1] == "hers"
    with pytest.raises(NoCredentialsError):
        APIClient(service.issuer, provider=fake.provider(), account="eve@example.com").get("/api")
    with pytest.raises(NoCredentialsError):
        APIClient(service.issuer, auth_manager=ada, account="grace@example.com").get("/api")


@pytest.fixture
def client_file(fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "client.json"
    section: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "auth_uri": fake.issuer + "/auth",
        "token_uri": fake.issuer + "/token",
    }
    path.write_text(json.dumps({"installed": section}))
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(path))
    return path


@pytest.mark.usefixtures("client_file")
def test_the_token_file_of_another_process(fake: FakeProvider, service: FakeProvider) -> None:
    client = APIClient(service.issuer, provider=fake.provider())
    with pytest.raises(NoCredentialsError):
        client.get("/api")
    FileStorage().save(stored(fake, expires_in=-10))
    fake.answers["/token"] = Answer.json(fake.token_response())
    client.get("/api")
    client.get("/api")
    assert bearers(service) == ["access-2", "access-2"]
    assert fake.calls("/token") == 1


@pytest.mark.usefixtures("client_file")
def test_a_client_leaves_the_account_that_another_one_named_alone(
    fake: FakeProvider, service: FakeProvider
) -> None:
    """Clients with and without account= each use their own account."""
    for user in ("bob", "ada"):
        FileStorage().save(of(fake, user))
    clients = [
        APIClient(service.issuer, provider=fake.provider(), account=account)
        for account in ("bob@example.com", None, "bob@example.com")
    ]
    for _ in range(2):
        for client in clients:
            client.get("/api")
    assert bearers(service) == 2 * ["access of bob", "access of ada", "access of bob"]


def test_without_a_client_the_token_file_is_of_no_use(fake: FakeProvider, service: FakeProvider) -> None:
    FileStorage().save(stored(fake))
    with pytest.raises(NoCredentialsError, match=r"client_secrets\.json"):
        APIClient(service.issuer, provider=fake.provider()).get("/api")


def test_no_token_is_shown(make_manager: Make, fake: FakeProvider) -> None:
    """The repr of a client whose user is signed in shows its base_url only (C72)."""
    client = APIClient("https://api.example", auth_manager=signed_in(make_manager, fake))
    assert repr(client) == "APIClient(base_url='https://api.example')"
