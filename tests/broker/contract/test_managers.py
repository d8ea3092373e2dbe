"""A manager in front of a broker of either kind."""

from __future__ import annotations

from typing import Any

import pytest
from contract_world import World, broker_for
from tokentoss.broker import BrokerClient
from tokentoss.session import broker_choice
from tokentoss.session.broker_manager import BrokerManager

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def manager(world: World, monkeypatch: pytest.MonkeyPatch) -> BrokerManager:
    """One whose user chose Ada, of two accounts, as far as the provider's ID tokens matter here."""
    monkeypatch.setattr(broker_choice, "require_same_user", lambda *_: None)
    for email in (ADA, BOB):
        world.connect("google", user="ada", email=email)
    manager = BrokerManager(broker_for(world))
    assert manager.use_account(ADA).email == ADA
    assert manager.access_token
    return manager


def hear(world: World, manager: BrokerManager) -> list[Any]:
    accounts = BrokerClient(broker_for(world)).accounts()
    manager._heard(accounts)
    return accounts


def test_it_stays_with_an_account_that_is_disconnected_and_connected_again(
    world: World, manager: BrokerManager
) -> None:
    client = BrokerClient(broker_for(world))
    ada = next(one for one in client.accounts() if one.email == ADA)
    client.disconnect(ada.id)
    for _ in range(2):
        assert [one.email for one in hear(world, manager)] == [BOB]
        assert not manager.is_authenticated
        assert manager.access_token is None
    world.connect("google", user="ada", email=ADA)
    assert manager.access_token
    assert manager.user_email == ADA


def test_somebody_who_connects_an_account_after_the_end_is_used(world: World, manager: BrokerManager) -> None:
    client = BrokerClient(broker_for(world))
    for one in client.accounts():
        client.disconnect(one.id)
    hear(world, manager)
    assert not manager.is_authenticated
    world.connect("google", user="ada", email="eve@example.com")
    (eve,) = hear(world, manager)
    assert eve.since_connected.seconds < 30
    assert manager.user_email == "eve@example.com"
