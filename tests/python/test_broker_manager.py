"""A manager that gets its tokens from a broker instead of a provider."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
import tokentoss
from forked import assert_in_child, needs_fork
from tokentoss import (
    BOX,
    ConfigurationError,
    ReauthRequiredError,
    TokenRefreshError,
)
from tokentoss.broker import Broker, FakeBroker, answers
from tokentoss.session import broker_session
from tokentoss.session.broker_manager import BrokerManager


@pytest.fixture
def manager(broker: FakeBroker) -> BrokerManager:
    broker.connect("google", email="ada@example.com")
    return BrokerManager(broker.broker())


def asked(broker: FakeBroker) -> int:
    return sum(path == "/v1/token" for _, path, _ in broker.requests)


def test_an_account_that_is_connected_is_found_at_the_first_use(
    broker: FakeBroker, manager: BrokerManager, tmp_path: Path
) -> None:
    assert not manager.is_authenticated
    assert asked(broker) == 0
    token = manager.id_token
    assert token
    assert manager.is_authenticated
    assert manager.user_email == "ada@example.com"
    assert manager.id_token == token
    assert asked(broker) == 1
    assert manager.access_token
    assert asked(broker) == 1, "it came with the ID token"
    tokens = manager.token_data
    assert tokens is not None
    assert tokens.refresh_token == ""
    assert manager.credentials is not None
    assert not manager.credentials.refresh_token
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [], "nothing is written"


def test_nobody_is_connected(broker: FakeBroker) -> None:
    manager = BrokerManager(broker.broker())
    assert manager.id_token is None
    assert "No account is connected" in manager.why_signed_out
    assert manager.last_error is not None
    assert manager.last_error.subject == broker.url
    broker.connect("google")
    assert manager.id_token, "connected meanwhile"


def test_many_threads_ask_once(broker: FakeBroker, manager: BrokerManager) -> None:
    found: list[str | None] = []
    barrier = threading.Barrier(16)

    def read() -> None:
        barrier.wait()
        found.append(manager.id_token)

    threads = [threading.Thread(target=read) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1
    assert asked(broker) == 1


def test_a_rejected_token_is_replaced_once_in_a_while(broker: FakeBroker, manager: BrokerManager) -> None:
    first = manager.id_token
    assert first is not None
    second = manager.id_token_after(first)
    assert second not in {None, first}
    assert manager.id_token == second
    assert manager.id_token_after(first) == second
    assert second is not None
    before = asked(broker)
    assert manager.id_token_after(second) is None, "services refuse for many reasons"
    assert asked(broker) == before


def test_each_kind_of_token_fails_by_itself(broker: FakeBroker, manager: BrokerManager) -> None:
    """A failure to get an ID token does not delay access tokens, nor the other way round."""
    broker.lifetime = 200.0
    token = manager.access_token
    assert token
    manager._tokens._held["access_token"].since._monotonic -= 150
    broker.grants[0].expires_at = time.time() + 3
    broker.failures = [{"code": "storage_unavailable", "retry_after": 30}]
    with pytest.raises(TokenRefreshError):
        _ = manager.id_token
    assert manager.access_token not in {None, token}, "it does not wait as the other one does"
    id_token, access_token = manager.id_token, manager.access_token
    assert id_token
    assert access_token
    assert manager.id_token_after(id_token) not in {None, id_token}
    assert manager._tokens.after("access_token", manager.access_token or "") is not None


def test_tokens_live_long_enough_for_google_auth(broker: FakeBroker, manager: BrokerManager) -> None:
    broker.lifetime = 3600
    assert manager.credentials is not None
    credentials = tokentoss.CREDENTIALS
    assert credentials is not None
    broker.grants[0].expires_at = time.time() + 230
    manager._tokens.forget()
    _, expiry = credentials.refresh_handler(None, None)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert expiry - now >= timedelta(seconds=225)
    credentials.refresh()
    assert credentials.valid


def test_a_valid_token_serves_while_the_broker_is_away(broker: FakeBroker, manager: BrokerManager) -> None:
    broker.lifetime = 60
    token = manager.access_token
    broker.close()
    manager._tokens._held["access_token"].since._monotonic -= 40
    assert manager.access_token == token
    manager._tokens._held["access_token"].since._monotonic -= 40
    with pytest.raises(TokenRefreshError) as caught:
        _ = manager.access_token
    assert broker.url in str(caught.value)
    assert caught.value.code == "broker_unreachable"
    assert manager.is_authenticated, "an absence ends nothing"


@pytest.mark.parametrize("jump", [-86_400, 86_400])
def test_a_clock_that_is_wrong_or_jumps(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    token = manager.id_token
    wrong = SimpleNamespace(time=lambda: time.time() + jump, monotonic=time.monotonic)
    # The fake broker, in the same process, keeps its own.
    for module in (answers, broker_session):
        monkeypatch.setattr(module, "time", wrong)
    for _ in range(2):
        assert manager.id_token == token
        assert manager.access_token
    assert manager.refresh_tokens().id_token == token
    before = asked(broker)
    assert manager.id_token == token
    assert asked(broker) == before, "a life is counted by the broker's clock"


def test_an_end_at_the_provider_ends_the_session(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.id_token
    assert tokentoss.CREDENTIALS is not None
    broker.end(broker.grants[0])
    manager._tokens.forget()
    with pytest.raises(ReauthRequiredError) as caught:
        _ = manager.id_token
    assert (caught.value.code, caught.value.cause, caught.value.action) == (
        "reauth_required",
        "invalid_grant",
        "sign_in",
    )
    assert not manager.is_authenticated
    assert tokentoss.CREDENTIALS is None


def test_a_passing_failure_is_tried_again(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokentoss.broker.calls.PATIENCE", 10.0)
    broker.failures = [{"code": "refresh_busy", "retry_after": 1}, {"code": "storage_unavailable"}]
    began = time.monotonic()
    assert manager.access_token
    assert time.monotonic() - began >= 2, "as long as the broker asked"
    assert asked(broker) == 3


@pytest.mark.parametrize("act", ["accept", "code", "url", "device"])
def test_what_only_the_holder_of_the_client_can_do(manager: BrokerManager, act: str) -> None:
    acts: dict[str, Callable[[], object]] = {
        "accept": lambda: manager.accept(None, nonce=None),  # type: ignore[arg-type]
        "code": lambda: manager.exchange_code("c", "v" * 43),
        "url": lambda: manager.get_authorization_url("challenge"),
        "device": manager.sign_in_by_code,
    }
    with pytest.raises(ConfigurationError) as caught:
        acts[act]()
    assert caught.value.code == "broker_has_client"


def test_a_provider_without_id_tokens(broker: FakeBroker) -> None:
    broker.connect("box")
    manager = BrokerManager(broker.broker(), BOX)
    assert manager.access_token
    with pytest.raises(ConfigurationError):
        _ = manager.id_token
    assert tokentoss.CREDENTIALS is None


def test_pickled_credentials_hold_no_token(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.connect("google")
    keyed = BrokerManager(broker.broker())
    assert keyed.credentials is not None
    with pytest.raises(TypeError):
        pickle.dumps(keyed.credentials)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    manager = BrokerManager(Broker(broker.url))
    token = manager.access_token
    pickled = pickle.dumps(manager.credentials)
    assert str(token).encode() not in pickled
    assert broker.key.encode() not in pickled
    assert pickle.loads(pickled).manager.access_token == token


@needs_fork
def test_a_fork_while_another_thread_asks(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.access_token

    def check() -> bool:
        manager._tokens.forget()
        return bool(manager.access_token)

    with manager._tokens._turn:
        assert_in_child(check)


def test_an_interrupt_leaves_the_turn_free(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manager._tokens.client, "get_valid_provider_access_token", interrupted, raising=False)
        with pytest.raises(KeyboardInterrupt):
            _ = manager.access_token
    assert manager.access_token
