"""Calls that a broker of either kind makes for a client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract_world import World, broker_for, call
from tokentoss import APIClient, NoCredentialsError
from tokentoss.broker import BrokerClient

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def client(world: World) -> Iterator[APIClient]:
    world.connect("google", user="ada", email=ADA)
    base = f"https://{world.service.host}"
    with APIClient(base, provider="google", broker=broker_for(world), through=True) as client:
        yield client


def test_an_answer_names_the_account_whose_token_was_sent(world: World, client: APIClient) -> None:
    (ada,) = BrokerClient(broker_for(world)).accounts()
    response = client.get("/api")
    named = {name: value for name, value in response.headers.items() if "tokentoss" in name.lower()}
    named = {name.lower(): value for name, value in named.items()}
    assert named == {"tokentoss-through": "1", "tokentoss-account": ada.id}
    refused = call(world, "GET", f"/v1/through/google/{world.service.host}/api", user="bob")
    assert refused.status_code == 404
    assert "Tokentoss-Account" not in refused.headers


def test_a_client_stays_with_the_account_of_its_first_call(world: World, client: APIClient) -> None:
    own = client.get_json("/api")
    world.connect("google", user="ada", email=BOB)
    assert client.get_json("/api") == own, "not ambiguous"
    broker = BrokerClient(broker_for(world))
    (ada,) = (one for one in broker.accounts() if one.email == ADA)
    broker.disconnect(ada.id)
    with pytest.raises(NoCredentialsError) as ended:
        client.get("/api")
    assert ended.value.code == "client_session_ended"
