"""A broker: who keeps the refresh tokens, and is asked for tokens that end soon.

    from tokentoss.broker import BrokerClient

    broker = BrokerClient("https://broker.example", key="…")
    token = broker.get_valid_provider_access_token("box", tenant="acme", user="ada")

Every name is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import AccountOfToken, ConnectedAccount, ProviderToken
    from tokentoss.broker.client import BrokerClient
    from tokentoss.broker.fake import FakeBroker

__all__ = [
    "AccountOfToken",
    "Broker",
    "BrokerClient",
    "ConnectedAccount",
    "FakeBroker",
    "ProviderToken",
]

_HOME_OF = {
    "AccountOfToken": "answers",
    "Broker": "address",
    "BrokerClient": "client",
    "ConnectedAccount": "answers",
    "FakeBroker": "fake",
    "ProviderToken": "answers",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - the broker costs nothing before it is used

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
