"""Callers that a broker accepts, and its answers to all others."""

from __future__ import annotations

import pytest
from contract_world import World, broker_for, call
from tokentoss.broker import Broker, BrokerClient
from tokentoss.exceptions import ConfigurationError, NoCredentialsError

ROUTES = [
    ("POST", "/v1/token", {"provider": "google"}),
    ("GET", "/v1/accounts", None),
    ("DELETE", "/v1/accounts/unknown", None),
]


@pytest.mark.parametrize(("method", "path", "members"), ROUTES)
def test_a_wrong_key_is_no_caller(world: World, method: str, path: str, members: object) -> None:
    answer = call(world, method, path, key="x" * 43, json=members)
    assert answer.status_code == 401
    assert answer.json()["code"] == "caller_unauthenticated"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_client_says_that_the_key_is_wrong_and_does_not_show_it(world: World) -> None:
    client = BrokerClient(Broker(world.url, "y" * 43, tenant="acme", user="ada"))
    with pytest.raises(ConfigurationError) as caught:
        client.get_valid_provider_access_token("google")
    assert caught.value.code == "caller_unauthenticated"
    assert world.url in str(caught.value)
    assert "yyyy" not in str(caught.value)


def test_a_server_application_names_tenant_and_user(world: World) -> None:
    answer = call(world, "GET", "/v1/accounts", user=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_nobody_is_connected_at_first(world: World) -> None:
    client = BrokerClient(broker_for(world))
    assert client.accounts() == []
    with pytest.raises(NoCredentialsError) as caught:
        client.get_valid_provider_access_token("google")
    assert (caught.value.code, caught.value.action) == ("not_connected", "sign_in")


def test_an_account_of_nobody_cannot_be_disconnected(world: World) -> None:
    with pytest.raises(NoCredentialsError) as caught:
        BrokerClient(broker_for(world)).disconnect("unknown")
    assert caught.value.code == "not_connected"


def test_a_route_that_is_none(world: World) -> None:
    answer = call(world, "GET", "/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"provider": 7},
        {"provider": "google", "refresh_token": "r"},
        {"provider": "google", "min_ttl": -1},
        {"provider": "google", "min_ttl": 86_401},
        {"provider": "google", "rejected": "not-a-hash"},
        {"provider": "google", "scopes": "openid"},
    ],
)
def test_a_request_that_is_none(world: World, members: object) -> None:
    answer = call(world, "POST", "/v1/token", json=members)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
