"""Tokens of connected accounts."""

from __future__ import annotations

import pytest
from contract_world import World, broker_for, call
from tokentoss.broker import BrokerClient
from tokentoss.exceptions import NoCredentialsError


def test_a_token_comes_with_its_account_and_its_end(world: World) -> None:
    subject = world.connect("google", user="ada", email="ada@example.com")
    client = BrokerClient(broker_for(world))
    token = client.get_valid_provider_access_token("google", min_ttl=600, id_token=True)
    assert token.access_token
    assert token.id_token
    assert (token.account.subject, token.account.email) == (subject, "ada@example.com")
    assert token.life is not None
    assert token.life >= 599
    again = client.get_valid_provider_access_token("google")
    assert (again.access_token, again.version) == (token.access_token, token.version)
    assert [one.id for one in client.accounts("google")] == [token.account.id]


def test_no_answer_holds_a_refresh_token(world: World) -> None:
    world.connect("google", user="ada", email="ada@example.com")
    answer = call(world, "POST", "/v1/token", json={"provider": "google", "id_token": True})
    assert set(answer.json()) == {
        *("access_token", "token_type", "expires_at", "scopes", "account", "version"),
        *("id_token", "id_token_expires_at"),
    }


def test_what_is_somebody_elses_answers_like_what_does_not_exist(world: World) -> None:
    world.connect("google", user="ada", email="ada@example.com")
    account = BrokerClient(broker_for(world)).accounts()[0].id
    stranger = BrokerClient(broker_for(world, "eve"))
    assert stranger.accounts() == []
    for act in (stranger.account, stranger.disconnect):
        with pytest.raises(NoCredentialsError) as caught:
            act(account)
        assert caught.value.code == "not_connected"
    with pytest.raises(NoCredentialsError) as caught:
        stranger.get_valid_provider_access_token("google", account=account)
    assert caught.value.code == "not_connected"
    assert BrokerClient(broker_for(world)).account(account).status == "active"


def test_several_accounts_have_to_be_told_apart(world: World) -> None:
    world.connect("google", user="ada", email="ada@example.com")
    subject = world.connect("google", user="ada", email="bob@example.com")
    client = BrokerClient(broker_for(world))
    with pytest.raises(NoCredentialsError) as caught:
        client.get_valid_provider_access_token("google")
    assert caught.value.code == "account_ambiguous"
    account = next(account for account in client.accounts() if account.subject == subject)
    for name in (subject, "bob@example.com", account.id):
        token = client.get_valid_provider_access_token("google", account=name)
        assert token.account.subject == subject


def test_a_disconnected_account_gives_nothing(world: World) -> None:
    world.connect("google", user="ada", email="ada@example.com")
    client = BrokerClient(broker_for(world))
    client.disconnect(client.accounts()[0].id)
    assert client.accounts() == []
    with pytest.raises(NoCredentialsError):
        client.get_valid_provider_access_token("google")
