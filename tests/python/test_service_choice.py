"""Service accounts: which credentials a client uses, and the adapters."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from fake_google import (
    AUDIENCE,
    TARGET,
    FakeGoogle,
    iam_path,
)
from fake_provider import FakeProvider
from google_world import answering_401_to, fake_fixture, key_fixture, later, variable_fixture  # noqa: F401 - fixtures
from test_auth_manager import signed_in
from tokentoss import (
    APIClient,
    AuthManager,
    ConfigurationError,
    HTTPXAuth,
    IAPClient,
    NoCredentialsError,
    RequestsAuth,
    ServiceCredentials,
)

# Which credentials are used


def test_the_environment(variable: Path, fake: FakeGoogle, service: FakeProvider) -> None:
    clients = [IAPClient(service.issuer) for _ in range(3)]
    assert [client.get_json("/api") for client in clients] == [{"ok": True}] * 3
    assert fake.calls("/token") == 1, "clients of the environment share their token"
    assert "named by TOKENTOSS_SERVICE_CREDENTIALS)" in repr(clients[0])
    assert repr(str(variable)) in repr(clients[0])


def test_impersonation_by_the_environment(
    variable: Path, fake: FakeGoogle, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTOSS_SERVICE_IMPERSONATE", TARGET)
    IAPClient(service.issuer).get_json("/api")
    assert fake.calls(iam_path()) == 1


def test_the_variable_comes_before_the_user_and_says_so_once(
    variable: Path,
    fake: FakeGoogle,
    service: FakeProvider,
    make_manager: Callable[..., AuthManager],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tokentoss")
    manager = signed_in(make_manager, fake)
    client = IAPClient(service.issuer)
    for _ in range(3):
        client.get_json("/api")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert len(said) == 1
    assert "TOKENTOSS_SERVICE_CREDENTIALS" in said[0]
    assert "not used: ada@example.com" in said[0]
    assert manager.id_token not in str(service.requests)


def test_explicit_comes_before_the_variable(
    variable: Path,
    fake: FakeGoogle,
    service: FakeProvider,
    make_manager: Callable[..., AuthManager],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tokentoss")
    manager = signed_in(make_manager, fake)
    IAPClient(service.issuer, manager).get_json("/api")
    assert service.requests[-1][2]["Authorization"] == f"Bearer {manager.id_token}"
    assert fake.calls("/token") == 0
    given = ServiceCredentials(variable, "other-audience")
    client = IAPClient(service.issuer, credentials=given)
    client.get_json("/api")
    assert "named by" not in repr(client)
    assert fake.assertions[-1]["target_audience"] == "other-audience"
    assert "not used: TOKENTOSS_SERVICE_CREDENTIALS" in caplog.text


def test_other_providers_and_access_tokens_know_no_variable(
    variable: Path, fake: FakeGoogle, service: FakeProvider
) -> None:
    clients = [IAPClient(service.issuer, provider=fake.issuer), APIClient(service.issuer, provider="google")]
    for client in clients:
        with pytest.raises(NoCredentialsError):
            client.get("/api")
    assert "credentials" not in repr(clients[0])


def test_one_identity_only(
    variable: Path,
    fake: FakeGoogle,
    service: FakeProvider,
    make_manager: Callable[..., AuthManager],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ServiceCredentials(variable, AUDIENCE)
    manager = make_manager()
    for beside in (
        {"auth_manager": manager},
        {"broker": "https://broker.example"},
        {"through": True},
        {"provider": "https://login.example.com"},
        {"expected_audience": "another"},
    ):
        with pytest.raises(ConfigurationError) as refusal:
            IAPClient(service.issuer, credentials=given, **beside)
        assert refusal.value.code == "credentials_conflict"
        assert next(iter(beside)) in str(refusal.value)
    for wrong in ("key.json", object(), {"type": "service_account"}):
        with pytest.raises(ConfigurationError) as refusal:
            IAPClient(service.issuer, credentials=wrong)
        assert refusal.value.code == "argument_invalid"
    monkeypatch.setenv("TOKENTOSS_BROKER", "https://broker.example")
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient(service.issuer)
    assert refusal.value.code == "credentials_conflict"


def test_an_app_for_several_people(
    variable: Path, fake: FakeGoogle, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an app, the variable is refused, and explicit credentials are used."""
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "1")
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient(service.issuer)
    assert refusal.value.code == "credentials_shared"
    given = ServiceCredentials(variable, AUDIENCE)
    assert IAPClient(service.issuer, credentials=given).get_json("/api") == {"ok": True}


def test_the_variable_holds_a_key(service: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the variable itself is refused without being shown."""
    monkeypatch.setenv("TOKENTOSS_SERVICE_CREDENTIALS", '{"private_key": "very-secret"}')
    with pytest.raises(ConfigurationError) as refusal:
        IAPClient(service.issuer)
    assert refusal.value.code == "credentials_is_text"
    shown = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    assert "very-secret" not in str([frame.locals for frame in shown.stack])


# The adapters


def through_requests(url: str, **named: Any) -> int:
    return requests.get(url, auth=RequestsAuth(**named), timeout=20).status_code


def through_httpx(url: str, **named: Any) -> int:
    with httpx.Client(auth=HTTPXAuth(**named), trust_env=False) as client:
        return client.get(url).status_code


@pytest.mark.parametrize("call", [through_requests, through_httpx])
@pytest.mark.parametrize("way", ["given", "variable"])
def test_adapters(
    variable: Path,
    fake: FakeGoogle,
    service: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    call: Any,
    way: str,
) -> None:
    named = {"credentials": ServiceCredentials(variable, AUDIENCE)} if way == "given" else {}
    url = service.issuer + "/api"
    assert call(url, **named) == 200
    answering_401_to(service, fake.minted[0])
    assert call(url, **named) == 401
    later(monkeypatch, 60)
    assert call(url, **named) == 200
    assert fake.calls("/token") == 2


def test_adapters_with_the_wrong_arguments(key: Path, make_manager: Callable[..., AuthManager]) -> None:
    credentials = ServiceCredentials(key, AUDIENCE)
    assert repr(RequestsAuth(credentials=credentials)).startswith("RequestsAuth(ServiceCredentials(")
    for beside in ({"manager": make_manager()}, {"broker": "https://b.example"}, {"access_token": True}):
        with pytest.raises(ConfigurationError) as refusal:
            RequestsAuth(credentials=credentials, **beside)
        assert refusal.value.code == "credentials_conflict"
    with pytest.raises(ConfigurationError) as refusal:
        RequestsAuth()
    assert refusal.value.code == "auth_manager_missing"
