"""Sign-ins at a broker are begun, followed and cancelled."""

from __future__ import annotations

import threading
import time

import pytest
from contract_world import World, broker_for, call
from tokentoss.broker import BrokerClient
from tokentoss.exceptions import TokenTossError


@pytest.fixture
def client(world: World) -> BrokerClient:
    return BrokerClient(broker_for(world))


def code_of(failure: pytest.ExceptionInfo[TokenTossError]) -> str:
    return failure.value.code


def test_a_sign_in_begins_at_a_page_of_the_broker(client: BrokerClient, world: World) -> None:
    begun = client.begin("google", kernel="a test")
    assert begun.way == "page"
    assert begun.origin
    assert begun.id in begun.url
    assert 60 < begun.life <= 3600
    progress = client.progress(begun.id)
    assert (progress.status, progress.account, progress.problem) == ("pending", None, None)


def test_the_answer_waits_while_nothing_changes(client: BrokerClient) -> None:
    begun = client.begin("google")
    began = time.monotonic()
    assert client.progress(begun.id, wait=1).status == "pending"
    assert time.monotonic() - began >= 0.9


def test_a_sign_in_that_was_given_up_is_unknown(client: BrokerClient) -> None:
    begun = client.begin("google")
    heard: list[TokenTossError] = []

    def wait() -> None:
        try:
            client.progress(begun.id, wait=25)
        except TokenTossError as failure:
            heard.append(failure)

    thread = threading.Thread(target=wait)
    thread.start()
    client.give_up(begun.id)
    thread.join(20)
    assert [failure.code for failure in heard] == ["authorization_unknown"]
    with pytest.raises(TokenTossError) as caught:
        client.progress(begun.id)
    assert code_of(caught) == "authorization_unknown"


def test_a_sign_in_of_somebody_else_is_unknown(client: BrokerClient, world: World) -> None:
    begun = client.begin("google")
    stranger = BrokerClient(broker_for(world, "eve"))
    for act in (
        lambda: stranger.progress(begun.id),
        lambda: stranger.confirm(begun.id, "ABCD2345"),
        lambda: stranger.give_up(begun.id),
        lambda: stranger.deposit(begun.id, "sealed"),
    ):
        with pytest.raises(TokenTossError) as caught:
            act()
        assert code_of(caught) == "authorization_unknown"
    assert client.progress(begun.id).status == "pending"


def test_the_fifth_wrong_confirmation_ends_it(client: BrokerClient) -> None:
    begun = client.begin("google")
    for _ in range(5):
        with pytest.raises(TokenTossError) as caught:
            client.confirm(begun.id, "WRONG222")
        assert code_of(caught) == "confirmation_wrong"
    progress = client.progress(begun.id, wait=1)
    assert progress.status == "failed"
    assert progress.problem is not None
    assert progress.problem["code"] == "confirmation_wrong"


def test_the_way_is_the_configurations(client: BrokerClient) -> None:
    with pytest.raises(TokenTossError) as caught:
        client.begin("google", way="deposit")
    assert code_of(caught) == "way_unavailable"


@pytest.mark.parametrize(
    "members", [{}, {"provider": "google", "way": "sideways"}, {"provider": "google", "user": "ada"}]
)
def test_a_request_that_is_none(world: World, members: object) -> None:
    answer = call(world, "POST", "/v1/authorizations", json=members)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_target_that_nobody_allowed(world: World) -> None:
    answer = call(world, "GET", "/v1/through/google/evil.example/")
    assert (answer.status_code, answer.json()["code"]) == (403, "target_forbidden")
    assert "Tokentoss-Through" not in answer.headers
