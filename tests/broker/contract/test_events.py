"""Events about a user's accounts."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from contract_world import World, broker_for, call
from e2e.waiting import until
from tokentoss.broker import BrokerClient
from tokentoss.util.event_stream import EventStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tokentoss.util.event_stream import Event

ADA = "ada@example.com"
MOST = 16


class Listener:
    """Reads a user's events as the package itself does."""

    def __init__(self, world: World, user: str = "ada") -> None:
        broker = broker_for(world, user)
        self._stream = EventStream(
            f"{broker.url}/v1/events", bearer=broker.key(), more_headers=broker.headers()
        )
        self.batches: Generator[list[Event], None, None] = self._stream.batches()
        assert next(self.batches) == [], "it stands"
        self._events = self._one_by_one()

    def next(self) -> tuple[str, dict[str, Any]]:
        event = next(self._events)
        return event.name, json.loads(event.data)

    def close(self) -> None:
        self._stream.close()
        self.batches.close()

    def _one_by_one(self) -> Iterator[Event]:
        for batch in self.batches:
            yield from batch


@pytest.fixture
def listener(world: World) -> Iterator[Listener]:
    with closing(Listener(world)) as listener:
        yield listener


def test_it_is_a_stream_that_nobody_keeps(world: World) -> None:
    with call(world, "GET", "/v1/events", stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_becomes_of_an_account(world: World, listener: Listener) -> None:
    world.connect("google", user="ada", email=ADA)
    client = BrokerClient(broker_for(world))
    account = client.accounts()[0].id
    world.connect("google", user="ada", email=ADA)
    client.disconnect(account)
    heard = [listener.next() for _ in range(3)]
    assert [name for name, _ in heard] == ["connected", "connected", "disconnected"]
    assert [news | {"version": 0} for _, news in heard] == [
        {"account": account, "provider": "google", "version": 0}
    ] * 3
    versions = [news["version"] for _, news in heard]
    assert versions == sorted(set(versions)), "each is newer than the one before"


def test_nobody_hears_of_others(world: World, listener: Listener) -> None:
    with closing(Listener(world, "eve")) as stranger:
        world.connect("google", user="ada", email=ADA)
        world.connect("google", user="eve", email="eve@example.com")
        own = BrokerClient(broker_for(world, "eve")).accounts()[0].id
        assert stranger.next()[1]["account"] == own
        assert listener.next()[1]["account"] == BrokerClient(broker_for(world)).accounts()[0].id


def test_one_listener_too_many(world: World) -> None:
    with ExitStack() as listeners:
        for _ in range(MOST):
            listeners.enter_context(closing(Listener(world)))
        refused = call(world, "GET", "/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        with closing(Listener(world, "eve")):
            pass

    def has_room() -> bool:
        with call(world, "GET", "/v1/events", stream=True) as answer:
            return answer.status_code == 200

    until(has_room, "those who left to count no more")


def test_a_wrong_key_hears_nothing(world: World) -> None:
    answer = call(world, "GET", "/v1/events", key="x" * 43)
    assert (answer.status_code, answer.json()["code"]) == (401, "caller_unauthenticated")


def test_it_is_asked_for_by_get(world: World) -> None:
    answer = call(world, "POST", "/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
