"""A session at a broker that is a day old: only the broker ends it, not the local clock."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import ConfigurationError
from tokentoss.broker import FakeBroker
from tokentoss.broker.answers import AccountOfToken
from tokentoss.broker.fake.state import Grant
from tokentoss.session import session as sessions
from tokentoss.session.broker_manager import BrokerManager

A_DAY = 90_000.0
Act = Callable[[BrokerManager, Grant], object]


def refused(act: Callable[[BrokerManager], object]) -> Act:
    def acts(manager: BrokerManager, _: Grant) -> None:
        with pytest.raises(ConfigurationError) as caught:
            act(manager)
        assert caught.value.code == "broker_has_client"

    return acts


def unpicklable(manager: BrokerManager) -> None:
    with pytest.raises(TypeError):
        manager.for_another_process()


@dataclass
class Looks:
    """Sees the sessions that its manager tells of."""

    seen: list[bool] = field(default_factory=list)

    def told(self) -> None:
        self.seen.append(True)


LOOKS = Looks()

ACTS: dict[str, Act] = {
    "accept": refused(lambda manager: manager.accept(None, nonce=None)),  # type: ignore[arg-type]
    "accept_code": refused(
        lambda manager: manager.accept_code("c", "v" * 43, "http://localhost", nonce=None)
    ),
    "access_token_after": lambda manager, _: manager.access_token_after("old"),
    "accounts": lambda manager, _: manager.accounts(),
    "authorization_params": lambda manager, _: manager.authorization_params(),
    "connected": lambda manager, grant: manager.connected(
        AccountOfToken(grant.id, grant.subject, grant.email)
    ),
    "drop": lambda manager, _: manager.drop("another"),
    "end_if_over": lambda manager, _: manager.end_if_over(),
    "exchange_code": refused(lambda manager: manager.exchange_code("c", "v" * 43)),
    "expect_anybody": lambda manager, _: manager.expect_anybody(),
    "expect_the_same": lambda manager, _: manager.expect_the_same(),
    "follow_news": lambda manager, _: manager.follow_news().close(),
    "for_another_process": lambda manager, _: unpicklable(manager),
    "forget_account": lambda manager, _: manager.forget_account(another(manager)),
    "get_authorization_url": refused(lambda manager: manager.get_authorization_url("challenge")),
    "id_token_after": lambda manager, _: manager.id_token_after("old"),
    "look": lambda manager, _: manager.look(),
    "observe_session": lambda manager, _: manager.observe_session(LOOKS.told),
    "observe_tokens": lambda manager, _: manager.observe_tokens(LOOKS.told),
    "refresh_tokens": lambda manager, _: manager.refresh_tokens(),
    "reload": lambda manager, _: manager.reload(),
    "renew_access_token": lambda manager, _: manager.renew_access_token(),
    "request_scopes": lambda manager, _: manager.request_scopes("more"),
    "sign_in_by_code": refused(lambda manager: manager.sign_in_by_code()),
    "signed_in": lambda manager, _: manager.signed_in(),
    "suggest": lambda manager, _: manager.suggest("ada@example.com"),
    "token_provider": lambda manager, _: manager.token_provider()(),
    "use_account": lambda manager, _: manager.use_account("ada@example.com"),
    "userinfo": lambda manager, _: manager.userinfo(),
}
ENDING: dict[str, Act] = {
    "clear": lambda manager, _: manager.clear(),
    "sign_out": lambda manager, _: manager.sign_out(),
}


def another(manager: BrokerManager) -> Any:
    tokens = manager.token_data
    assert tokens is not None
    return SimpleNamespace(**{**vars(tokens), "subject": "another"})


def public(kind: Callable[[object], bool]) -> list[str]:
    names = (name for name in dir(BrokerManager) if not name.startswith("_"))
    return [name for name in names if kind(inspect.getattr_static(BrokerManager, name))]


@pytest.fixture
def grant(broker: FakeBroker) -> Grant:
    return broker.connect("google", subject="user-1", email="ada@example.com")


@pytest.fixture
def manager(
    broker: FakeBroker, grant: Grant, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> BrokerManager:
    """One that signed in a day ago, and whose tokens of then have ended."""
    broker.issuers["google"] = fake.issuer
    provider = fake.provider(userinfo_endpoint=fake.issuer + "/userinfo")
    fake.answers["/userinfo"] = Answer.json({"sub": "user-1", "name": "Ada"})
    manager = BrokerManager(broker.broker(provider="google"), provider)
    assert manager.id_token
    for token in manager._tokens._held.values():
        token.since._monotonic -= A_DAY
    later = SimpleNamespace(time=lambda: time.time() + A_DAY, monotonic=time.monotonic)
    monkeypatch.setattr(sessions, "time", later)
    return manager


def test_every_method_is_called() -> None:
    assert {*ACTS, *ENDING} == set(
        public(lambda one: inspect.isfunction(one) or isinstance(one, classmethod))
    )


@pytest.mark.parametrize("name", ACTS)
def test_no_method_ends_it(manager: BrokerManager, grant: Grant, name: str) -> None:
    for _ in range(2):
        ACTS[name](manager, grant)
        assert manager.is_authenticated
        assert manager.last_error is None
        assert manager.user_email == "ada@example.com"
    assert manager.id_token
    assert manager.access_token == grant.access_token


@pytest.mark.parametrize("name", public(lambda one: isinstance(one, property)))
def test_nor_does_reading(manager: BrokerManager, name: str) -> None:
    getattr(manager, name)
    assert manager.is_authenticated
    assert manager.last_error is None
    assert manager.id_token


@pytest.mark.parametrize("name", ENDING)
def test_a_sign_out_does(broker: FakeBroker, manager: BrokerManager, grant: Grant, name: str) -> None:
    ENDING[name](manager, grant)
    assert not manager.is_authenticated
    assert broker.grants == []


def test_the_claims_of_a_user(manager: BrokerManager) -> None:
    assert manager.userinfo() == {"sub": "user-1", "name": "Ada"}
