"""Kernels of a real JupyterHub authenticate at the broker with the hub's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from .hub import Hub
from .running import PROGRAM, Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = "access:services!service=tokentoss"
TIMEOUT = 30

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with two users."""
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add_user("ada")
        hub.add_user("grace")
        yield hub


@pytest.fixture(scope="module")
def broker(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that knows the hub as `lab`."""
    folder = tmp_path_factory.mktemp("broker")
    token = folder / "service.token"
    token.touch(mode=0o600)
    token.write_text(hub.broker_token)
    settings = f'[hubs.lab]\napi_url = "{hub.api_url}"\nservice_token = "{token}"\n'
    with Broker(folder, settings) as broker:
        yield broker


def accounts(broker: Broker, token: str) -> requests.Response:
    """Ask for the caller's accounts."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{broker.origin}/v1/accounts", headers=headers, timeout=TIMEOUT)


def test_a_users_token_that_reaches_the_service(hub: Hub, broker: Broker) -> None:
    token = hub.token("ada", [OURS])
    answer = accounts(broker, token)
    assert (answer.status_code, answer.json()) == (200, [])
    assert token not in broker.log


@pytest.mark.parametrize(
    "scopes", [[], ["access:services!service=other"], ["read:users!user"], ["access:servers!user"]]
)
def test_a_users_token_that_does_not_reach_it(hub: Hub, broker: Broker, scopes: list[str]) -> None:
    answer = accounts(broker, hub.token("grace", scopes or ["read:users:name!user"]))
    assert (answer.status_code, answer.json()["code"]) == (401, "caller_unauthenticated")


def test_tokens_of_services_and_of_nobody(hub: Hub, broker: Broker) -> None:
    unknown = accounts(broker, "0" * 32)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "caller_unauthenticated")
    for token in (hub.admin_token, hub.broker_token):
        answer = accounts(broker, token)
        # Each request has a trace of its own.
        refusal, of_nobody = ({**one.json(), "trace_id": ""} for one in (answer, unknown))
        assert (answer.status_code, refusal) == (401, of_nobody)


def test_check_asks_the_hub(broker: Broker) -> None:
    checked = broker.run(["check"])
    assert checked.returncode == 0, checked.stdout
    assert "0 providers, 0 callers, 1 hubs" in checked.stdout


def test_a_hub_that_has_gone(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Hub(tmp_path_factory.mktemp("gone")) as hub:
        hub.add_user("ada")
        token = hub.token("ada", [OURS])
        folder = tmp_path_factory.mktemp("left")
        broker = Broker(folder, f'[hubs.lab]\napi_url = "{hub.api_url}"\n')
    with broker:
        answer = accounts(broker, token)
        assert (answer.status_code, answer.json()["code"]) == (503, "hub_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
