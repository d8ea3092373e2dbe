"""Clients and adapters with a broker that is passed or set in the environment."""

from __future__ import annotations

import gc
from pathlib import Path

import httpx
import pytest
import requests
import tokentoss
from fake_provider import Answer, FakeProvider
from tokentoss import (
    BOX,
    GOOGLE,
    APIClient,
    AuthManager,
    ConfigurationError,
    HTTPXAuth,
    IAPClient,
    NoCredentialsError,
    RequestsAuth,
)
from tokentoss.broker import FakeBroker
from tokentoss.session.app_host import APP_HOST_VARIABLE, Visitor, serving
from tokentoss.session.broker_manager import BrokerManager


def seen(service: FakeProvider) -> list[str]:
    return [headers["Authorization"].removeprefix("Bearer ") for _, _, headers, _ in service.requests]


def test_iap_gets_the_id_token(broker: FakeBroker, service: FakeProvider) -> None:
    grant = broker.connect("google")
    with IAPClient(service.issuer, broker=broker.broker()) as client:
        assert client.get_json("/api") == {"ok": True}
    assert seen(service) == [grant.id_token]
    assert tokentoss.CREDENTIALS is None, "a client signs nobody in for others"


def test_an_api_gets_the_access_token_of_the_account(broker: FakeBroker, service: FakeProvider) -> None:
    broker.connect("box", subject="s-1", email="ada@example.com")
    bob = broker.connect("box", subject="s-2", email="bob@example.com")
    client = APIClient(service.issuer, provider=BOX, broker=broker.broker(), account="bob@example.com")
    assert client.get_json("/api") == {"ok": True}
    assert seen(service) == [bob.access_token]


def test_a_refused_call_is_repeated_with_another_token(broker: FakeBroker, service: FakeProvider) -> None:
    broker.connect("google")
    answers = iter([Answer(401), Answer.json({"ok": True})])
    service.answers["/api"] = lambda _: next(answers)
    client = IAPClient(service.issuer, broker=broker.broker())
    assert client.get_json("/api") == {"ok": True}
    first, second = seen(service)
    assert first != second
    assert broker.renewals == 2


def test_a_client_stays_with_its_account(broker: FakeBroker, service: FakeProvider) -> None:
    ada = broker.connect("google", subject="s-1", email="ada@example.com")
    client = IAPClient(service.issuer, broker=broker.broker())
    assert client.get_json("/api")
    broker.grants.remove(ada)
    broker.connect("google", subject="s-2", email="eve@example.com")
    broker_manager(client)._tokens._held.clear()
    for _ in range(2):
        with pytest.raises(NoCredentialsError) as caught:
            client.get("/api")
    assert caught.value.code == "client_session_ended"
    assert "ada@example.com" in str(caught.value)
    assert len(service.requests) == 1
    assert IAPClient(service.issuer, broker=broker.broker()).get_json("/api"), "a new client may"


def broker_manager(client: IAPClient) -> BrokerManager:
    manager = client._tokens._manager  # type: ignore[union-attr]
    assert isinstance(manager, BrokerManager)
    return manager


def test_after_a_sign_in_a_plain_client_works(broker: FakeBroker, service: FakeProvider) -> None:
    broker.connect("google")
    manager = BrokerManager(broker.broker())
    assert manager.look()
    assert IAPClient(service.issuer).get_json("/api") == {"ok": True}
    manager.sign_out()
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer).get("/api")


def test_two_users_of_one_process(broker: FakeBroker, service: FakeProvider) -> None:
    tokens = []
    for user in ("ada", "eve"):
        grant = broker.connect("box", tenant="acme", user=user, subject=user)
        client = APIClient(service.issuer, provider=BOX, broker=broker.broker(tenant="acme", user=user))
        assert client.get_json("/api")
        tokens.append(grant.access_token)
    assert seen(service) == tokens
    with pytest.raises(NoCredentialsError):
        # Nobody's by default.
        APIClient(service.issuer, provider=BOX).get("/api")


def test_the_broker_of_the_environment(
    broker: FakeBroker, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    with pytest.raises(NoCredentialsError) as caught:
        IAPClient(service.issuer).get("/api")
    assert f"the broker {broker.url}" in str(caught.value)
    google, box = broker.connect("google"), broker.connect("box")
    assert IAPClient(service.issuer).get_json("/api")
    assert APIClient(service.issuer, provider=BOX).get_json("/api")
    assert seen(service) == [google.id_token, box.access_token]
    client = IAPClient(service.issuer)
    assert client.get_json("/api")
    gc.collect()
    before = len(broker.requests)
    for _ in range(3):
        assert client.get_json("/api")
    assert len(broker.requests) == before, "it holds its tokens itself"


def test_a_broker_of_the_environment_in_an_app_of_several_people(
    broker: FakeBroker, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    monkeypatch.setenv(APP_HOST_VARIABLE, "1")
    broker.connect("google")
    with pytest.raises(ConfigurationError) as caught:
        IAPClient(service.issuer).get("/api")
    assert caught.value.code == "broker_user_missing"


def test_visitors_of_an_app_each_have_their_own(
    broker: FakeBroker, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(APP_HOST_VARIABLE, "1")
    ada, eve, grants = Visitor(), Visitor(), []
    for visitor, user in ((ada, "ada"), (eve, "eve")):
        grants.append(broker.connect("google", tenant="acme", user=user, subject=user))
        with serving(visitor):
            manager = BrokerManager(broker.broker(tenant="acme", user=user))
            assert manager.look()
            assert IAPClient(service.issuer).get_json("/api")
    with serving(ada):
        assert IAPClient(service.issuer).get_json("/api"), "not the latest sign-in of the process"
    assert seen(service) == [grants[0].id_token, grants[1].id_token, grants[0].id_token]
    with serving(Visitor()), pytest.raises(NoCredentialsError):
        IAPClient(service.issuer).get("/api")


def test_without_a_broker_nothing_asks_one(
    broker: FakeBroker, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    with pytest.raises(NoCredentialsError):
        IAPClient(service.issuer).get("/api")
    assert broker.requests == []


def test_a_wrong_key(broker: FakeBroker, service: FakeProvider) -> None:
    client = IAPClient(service.issuer, broker=tokentoss.Broker(broker.url, "wrong"))
    with pytest.raises(ConfigurationError) as caught:
        client.get("/api")
    assert caught.value.code == "caller_unauthenticated"
    assert service.requests == []


def test_a_broker_that_is_away_is_named(broker: FakeBroker, service: FakeProvider) -> None:
    broker.close()
    with pytest.raises(tokentoss.TokenRefreshError) as caught:
        IAPClient(service.issuer, broker=broker.broker()).get("/api")
    assert caught.value.code == "broker_unreachable"
    assert broker.url in str(caught.value)


def test_what_is_no_broker(service: FakeProvider) -> None:
    with pytest.raises(tokentoss.TokenRefreshError) as caught:
        IAPClient(service.issuer, broker=tokentoss.Broker(service.issuer, "key")).get("/api")
    assert caught.value.code == "broker_answer_invalid"
    assert service.issuer in str(caught.value)


def test_a_broker_beside_a_manager_is_refused(broker: FakeBroker, make_manager: object) -> None:
    manager: AuthManager = make_manager()  # type: ignore[operator]
    for make in (
        lambda: IAPClient("https://a.example", manager, broker=broker.url),
        lambda: APIClient("https://a.example", provider=GOOGLE, auth_manager=manager, broker=broker.url),
        lambda: RequestsAuth(manager, broker=broker.url),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert caught.value.code == "broker_conflict"


def test_adapters(broker: FakeBroker, service: FakeProvider) -> None:
    grant = broker.connect("google")
    asked = broker.broker()
    assert requests.get(service.issuer + "/api", auth=RequestsAuth(broker=asked), timeout=10).ok
    assert httpx.get(service.issuer + "/api", auth=HTTPXAuth(broker=asked, access_token=True)).is_success
    assert seen(service) == [grant.id_token, grant.access_token]


def test_an_adapter_stays_with_its_account(broker: FakeBroker, service: FakeProvider) -> None:
    ada = broker.connect("google", subject="s-1", email="ada@example.com")
    auth = RequestsAuth(broker=broker.broker())
    assert requests.get(service.issuer + "/api", auth=auth, timeout=10).ok
    broker.grants.remove(ada)
    broker.connect("google", subject="s-2")
    auth._binding._manager._tokens.forget()  # type: ignore[attr-defined]
    with pytest.raises(tokentoss.TokenTossError):
        requests.get(service.issuer + "/api", auth=auth, timeout=10)
    with pytest.raises(NoCredentialsError) as caught:
        requests.get(service.issuer + "/api", auth=auth, timeout=10)
    assert caught.value.code == "client_session_ended"
    assert len(service.requests) == 1


def test_nothing_is_written(broker: FakeBroker, service: FakeProvider, tmp_path: Path) -> None:
    broker.connect("google")
    assert IAPClient(service.issuer, broker=broker.broker()).get_json("/api")
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
