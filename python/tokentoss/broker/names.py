"""How a broker's configuration calls a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.oauth.catalogue import name_of

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.oauth.provider import Provider


def provider_name(broker: Broker, provider: Provider) -> str:
    """Return the name: as the broker object says, as in the catalogue, or the provider's in lower case."""
    return broker.provider or name_of("token_endpoint", provider.token_endpoint) or provider.name.lower()
