"""Whether a client belongs to a provider: nothing of it goes to another one (RFC 9700 section 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.config.client_config import google_endpoints
from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.catalogue import members_of, name_of

if TYPE_CHECKING:
    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.provider import Provider


def require_client_of(config: ClientConfig, provider: Provider) -> None:
    """Check that a client is the provider's before anything is sent.

    A client whose file names endpoints belongs to the provider with these endpoints, and one that does not
    to the provider that it is used with first. No provider may pair its own token endpoint with the
    authorization endpoint of another: the code of the one would go to the other.

    Raises:
        ConfigurationError: ``client_of_another_provider``.
    """
    own = provider.authorization_endpoint, provider.token_endpoint
    named = config.auth_uri, config.token_uri
    if config.names_endpoints and own != named and not (google_endpoints(*own) and google_endpoints(*named)):
        raise ConfigurationError(
            code="client_of_another_provider", subject=f"The client in {config.source or config.client_id}"
        )
    name = name_of("authorization_endpoint", provider.authorization_endpoint)
    if name is None or google_endpoints(*own):
        return
    if members_of(name, {})["token_endpoint"] != provider.token_endpoint:
        raise ConfigurationError(
            code="client_of_another_provider", subject=f"The authorization endpoint of {provider.name}"
        )
