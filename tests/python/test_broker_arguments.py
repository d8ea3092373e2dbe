"""Arguments that a widget accepts together with a broker, and a broker set in the environment."""

from __future__ import annotations

from typing import Any

import pytest
from tokentoss import AuthWidget, ClientConfig, ConfigurationError, GoogleAuthWidget, MemoryStorage
from tokentoss.broker import FakeBroker


@pytest.mark.parametrize(
    "arguments",
    [
        {"client_id": "c"},
        {"client_config": ClientConfig("c")},
        {"client_secrets_path": "client_secrets.json"},
        {"storage": MemoryStorage()},
        {"max_session_lifetime_hours": 1},
        {"hosted_domain": "example.com"},
        {"exchange": "kernel"},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
@pytest.mark.parametrize("kind", [AuthWidget, GoogleAuthWidget])
def test_what_a_broker_takes_the_place_of_is_refused(
    broker: FakeBroker, kind: type[AuthWidget], arguments: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(broker=broker.broker(), **arguments)
    assert caught.value.code == "broker_conflict"
    assert next(iter(arguments)) in str(caught.value)


def test_the_broker_of_the_environment(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    broker.connect("google", email="ada@example.com")
    widget = GoogleAuthWidget()
    assert widget.wait(20).email == "ada@example.com"
    own = GoogleAuthWidget(client_config=ClientConfig("c"), storage=MemoryStorage())
    assert own.ticket, "a client that is given is used as before"
    assert own.broker == {}
    widget.close()
    own.close()
