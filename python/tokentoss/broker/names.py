"""Names that a broker hears: of a provider, and of this machine."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from tokentoss.error_codes import printable
from tokentoss.oauth.catalogue import name_of

if TYPE_CHECKING:
    from tokentoss.broker.address import Broker
    from tokentoss.oauth.provider import Provider

_LONGEST_NAME = 60


def provider_name(broker: Broker, provider: Provider) -> str:
    """Return the name: as the broker object says, as in the catalogue, or the provider's in lower case."""
    return broker.provider or name_of("token_endpoint", provider.token_endpoint) or provider.name.lower()


def kernel_name() -> str:
    """Return what the user may know this machine by."""
    return printable(platform.node(), _LONGEST_NAME) or "a notebook"
