"""Several threads whose calls are refused with the same token."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from test_auth_manager import signed_in
from tokentoss import AuthManager, FileStorage
from tokentoss.broker import FakeBroker
from tokentoss.oauth.id_token import access_token_hash
from tokentoss.session.broker_manager import BrokerManager

THREADS = 8

Make = Callable[..., AuthManager]
Questions = Callable[[], int]


@pytest.fixture(params=["own client", "broker"])
def managed(
    request: pytest.FixtureRequest, make_manager: Make, fake: FakeProvider, broker: FakeBroker
) -> tuple[AuthManager, Questions]:
    """A manager, and how often it has asked for tokens since somebody signed in."""
    if request.param == "broker":
        broker.connect("google", email="ada@example.com")
        manager = BrokerManager(broker.broker())
        assert manager.id_token
        return manager, lambda: sum(path == "/v1/token" for _, path, _ in broker.requests) - 1
    names = iter(f"access-{number}" for number in range(2, 100))

    def tokens(_form: dict[str, str]) -> Answer:
        name = next(names)
        token = fake.id_token(at_hash=access_token_hash(name, "RS256"), jti=name)
        return Answer.json(fake.token_response(access_token=name, id_token=token))

    own = signed_in(make_manager, fake, expires_in=3600)
    fake.answers["/token"] = tokens
    return own, lambda: fake.calls("/token")


def at_once(work: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(THREADS)

    def each(_: int) -> Any:
        start.wait(20)
        return work()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(each, range(THREADS)))


@pytest.mark.parametrize("kind", ["id_token", "access_token"])
def test_all_get_what_one_of_them_asked_for(managed: tuple[AuthManager, Questions], kind: str) -> None:
    manager, questions = managed
    first = getattr(manager, kind)
    found = set(at_once(lambda: getattr(manager, f"{kind}_after")(first)))
    assert len(found) == 1
    assert found.isdisjoint({None, first})
    assert questions() == 1
    assert getattr(manager, f"{kind}_after")(first) in found, "late"
    second = getattr(manager, kind)
    assert set(at_once(lambda: getattr(manager, f"{kind}_after")(second))) == {None}, "seldom"
    assert questions() == 1


def test_what_another_process_has_renewed_is_newer(
    make_manager: Make, fake: FakeProvider, tmp_path: Path
) -> None:
    storage = FileStorage(tmp_path / "tokens.json")
    manager = signed_in(make_manager, fake, expires_in=3600, storage=storage)
    first = manager.id_token
    assert first
    elsewhere = make_manager(storage=FileStorage(tmp_path / "tokens.json"))
    fake.answers["/token"] = Answer.json(fake.token_response())
    second = elsewhere.id_token_after(first)
    assert second not in {None, first}
    assert manager.id_token_after(first) == second
    assert fake.calls("/token") == 1
