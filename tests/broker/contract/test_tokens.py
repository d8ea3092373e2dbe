"""Tokens of connected accounts."""

from __future__ import annotations

import pytest
from contract_world import World, broker_for, call
from tokentoss.broker import BrokerClient
from tokentoss.exceptions import NoCredentialsError


def test_a_token_comes_with_its_account_and_its_end(world: World) -> None:
    world.connect("google", tenant="acme", user="ada", subject="s-1", email="ada@example.com")
    client = BrokerClient(broker_for(world))
    token = client.get_valid_provider_access_token("google", min_ttl=600, id_token=True)
    assert token.access_token
    assert token.id_token
    assert (token.account.subject, token.account.email) == ("s-1", "ada@example.com")
    assert token.life is not None
    assert token.life >= 599
    again = client.get_valid_provider_access_token("google")
    assert (again.access_token, again.version) == (token.access_token, token.version)
    assert [one.id for one in client.accounts("google")] == [token.account.id]


def test_no_answer_holds_a_refresh_token(world: World) -> None:
    world.connect("google", tenant="acme", user="ada", subject="s-1")
    answer = call(world, "POST", "/v1/token", json={"provider": "google", "id_token": True})
    assert set(answer.json()) == {
        *("access_token", "token_type", "expires_at", "scopes", "account", "version"),
        *("id_token", "id_token_expires_at"),
    }


def test_a_rejected_token_is_not_given_out_again(world: World) -> None:
    world.connect("google", tenant="acme", user="ada", subject="s-1")
    client = BrokerClient(broker_for(world))
    first = client.get_valid_provider_access_token("google").access_token
    second = client.get_valid_provider_access_token("google", rejected=first).access_token
    assert second != first
    # It is not the current one any more, so it forces nothing.
    assert client.get_valid_provider_access_token("google", rejected=first).access_token == second


def test_what_is_somebody_elses_answers_like_what_does_not_exist(world: World) -> None:
    world.connect("google", tenant="acme", user="ada", subject="s-1")
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
    for subject, email in (("s-1", "ada@example.com"), ("s-2", "bob@example.com")):
        world.connect("google", tenant="acme", user="ada", subject=subject, email=email)
    client = BrokerClient(broker_for(world))
    with pytest.raises(NoCredentialsError) as caught:
        client.get_valid_provider_access_token("google")
    assert caught.value.code == "account_ambiguous"
    for name in ("s-2", "bob@example.com", client.accounts()[1].id):
        token = client.get_valid_provider_access_token("google", account=name)
        assert token.account.subject == "s-2"


def test_a_disconnected_account_gives_nothing(world: World) -> None:
    world.connect("google", tenant="acme", user="ada", subject="s-1")
    client = BrokerClient(broker_for(world))
    client.disconnect(client.accounts()[0].id)
    assert client.accounts() == []
    with pytest.raises(NoCredentialsError):
        client.get_valid_provider_access_token("google")
