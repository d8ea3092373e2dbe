"""The provider whose tokens a service takes, however a client is told."""

from __future__ import annotations

from dataclasses import dataclass

from tokentoss.oauth.catalogue import name_of
from tokentoss.oauth.provider import GOOGLE, Provider
from tokentoss.util.urls import require_secure_endpoint


@dataclass(frozen=True)
class WantedProvider:
    """Whose tokens a service takes, and no other's.

    Args:
        issuer: The provider's issuer identifier.
        known: The provider; None if only its issuer was said. Nothing is fetched to find out more until a
            token has to be renewed.
    """

    issuer: str
    known: Provider | None

    @classmethod
    def of(cls, said: Provider | str | None) -> WantedProvider:
        """Return what a client's ``provider=`` stands for.

        Args:
            said: A provider; its issuer (an address); the name of one that comes with the package; or None
                for Google.

        Raises:
            ConfigurationError: ``provider_unknown`` or ``provider_parameter_invalid`` for a name,
                ``endpoint_insecure`` for an issuer that is not https (or http on loopback).
        """
        if said is None:
            said = GOOGLE
        if isinstance(said, Provider):
            return cls(said.issuer, said)
        if "://" not in str(said):
            return cls.of(Provider.named(str(said)))
        require_secure_endpoint(said, "issuer", "the client's provider")
        name = name_of("issuer", said)
        return cls(said, None if name is None else Provider.named(name))

    @property
    def name(self) -> str:
        """How a sentence names it."""
        return self.issuer if self.known is None else self.known.name

    def is_met_by(self, provider: Provider) -> bool:
        """Tell whether tokens of a provider are this one's."""
        return provider.issuer == self.issuer if self.known is None else provider.is_same_as(self.known)

    def resolved(self) -> Provider:
        """Return the provider; its metadata is read if only its issuer was said.

        Raises:
            DiscoveryError: If the metadata cannot be fetched or used.
        """
        return self.known if self.known is not None else Provider.discover(self.issuer)
