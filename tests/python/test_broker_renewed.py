"""Renewals at a broker that may be unavailable: a token is only replaced by another token."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from broker_steps import until
from tokentoss import BOX, NoCredentialsError, ReauthRequiredError, StatusWidget, TokenRefreshError
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.broker.answers import ProviderToken
from tokentoss.broker.fake.state import Grant
from tokentoss.session.broker_manager import BrokerManager

THREADS = 8
AWAY = {"code": "storage_unavailable", "retry_after": 60}


@pytest.fixture
def grant(broker: FakeBroker) -> Grant:
    return broker.connect("google", email="ada@example.com")


@pytest.fixture
def manager(broker: FakeBroker, grant: Grant) -> BrokerManager:
    manager = BrokerManager(broker.broker())
    assert manager.id_token
    return manager


def asked(broker: FakeBroker) -> int:
    return sum(path == "/v1/token" for _, path, _ in broker.requests)


def test_the_tokens_stay_while_the_broker_is_away(broker: FakeBroker, manager: BrokerManager) -> None:
    before = manager.id_token, manager.access_token
    broker.failures = [AWAY, AWAY]
    for _ in range(2):
        with pytest.raises(TokenRefreshError) as caught:
            manager.refresh_tokens()
        assert caught.value.code == "storage_unavailable"
        assert manager.last_error is not None
        assert manager.is_authenticated
    broker.close()
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert (manager.id_token, manager.access_token) == before
    assert manager.credentials is not None


def test_the_button_leaves_them_as_well(broker: FakeBroker, manager: BrokerManager) -> None:
    before = manager.id_token
    widget = StatusWidget(manager)
    broker.close()
    widget._take_message(None, {"type": "refresh"}, None)
    until(lambda: widget.notice)
    assert not widget.busy
    assert "broker" in widget.notice
    assert widget.session["signed_in"]
    assert manager.id_token == before
    widget.close()


def test_new_ones_replace_them(broker: FakeBroker, manager: BrokerManager, grant: Grant) -> None:
    before = manager.id_token
    assert manager.refresh_tokens().id_token == before, "the broker has no newer one"
    with broker.changed:
        broker.renew(grant)
    tokens = manager.refresh_tokens()
    assert (tokens.id_token, tokens.access_token) == (grant.id_token, grant.access_token)
    assert tokens.id_token != before
    assert (manager.id_token, manager.access_token) == (grant.id_token, grant.access_token)


def test_without_id_tokens(broker: FakeBroker) -> None:
    grant = broker.connect("box")
    manager = BrokerManager(broker.broker(), BOX)
    first = manager.refresh_tokens().access_token
    broker.failures = [AWAY]
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert manager.access_token == first == grant.access_token


def test_an_account_that_ended_is_no_absence(
    broker: FakeBroker, manager: BrokerManager, grant: Grant
) -> None:
    broker.end(grant)
    with pytest.raises(ReauthRequiredError):
        manager.refresh_tokens()
    assert not manager.is_authenticated
    broker.grants.clear()
    with pytest.raises(NoCredentialsError):
        manager.refresh_tokens()


def test_many_threads_share_an_answer(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asking, may_go_on = threading.Event(), threading.Event()
    client = manager._tokens.client
    ask = client.get_valid_provider_access_token
    before = asked(broker)

    def slow(*arguments: Any, **named: Any) -> ProviderToken:
        is_asking.set()
        assert may_go_on.wait(20)
        return ask(*arguments, **named)

    monkeypatch.setattr(client, "get_valid_provider_access_token", slow)
    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(manager.refresh_tokens)
        assert is_asking.wait(20)
        # Those who ask while the first question is on its way want a later answer, and share one.
        others = [pool.submit(manager.refresh_tokens) for _ in range(THREADS - 1)]
        may_go_on.set()
        assert {one.result().id_token for one in (first, *others)} == {manager.id_token}
    assert asked(broker) - before <= THREADS


def test_more_scopes_elsewhere_while_the_broker_is_away(broker: FakeBroker) -> None:
    broker.connect("google", scopes=["openid"])
    manager = BrokerManager(broker.broker(), scopes=["openid", "files"])
    token = manager.access_token
    broker.connect("google", scopes=["openid", "files"])
    accounts = BrokerClient(broker.broker()).accounts()
    broker.failures = [AWAY]
    with pytest.raises(TokenRefreshError):
        manager._heard(accounts)
    assert manager.access_token == token
    manager._heard(accounts)
    assert manager.access_token not in {None, token}
    assert manager.missing_scopes == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_question_that_fails_late(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """A failed renewal returns a token that another thread got meanwhile, or raises."""
    tokens = manager._tokens
    ask = tokens.client.get_valid_provider_access_token
    seen = tokens.held("id_token")
    assert seen is not None

    def fails(*arguments: Any, **named: Any) -> ProviderToken:
        with broker.changed:
            broker.renew(broker.grants[0])
        newer = ask(*arguments, **named)
        tokens._held = {} if ends else {"id_token": newer, "access_token": newer}
        raise TokenRefreshError(code="broker_unreachable")

    monkeypatch.setattr(tokens.client, "get_valid_provider_access_token", fails)
    seen.since._monotonic -= 3500
    current: Callable[[], ProviderToken] = lambda: tokens.current("id_token")  # noqa: E731
    if ends:
        with pytest.raises(TokenRefreshError):
            current()
    else:
        assert current().id_token == broker.grants[0].id_token
