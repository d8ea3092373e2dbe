"""The provider of a client whose file does not name one: as the stored tokens tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.exceptions import StorageError
from tokentoss.oauth.provider import Provider
from tokentoss.storage import accounts_in
from tokentoss.storage.token_data import grant_of

if TYPE_CHECKING:
    from tokentoss.config.client_config import ClientConfig
    from tokentoss.storage import TokenStorage


def provider_of(config: ClientConfig, storage: TokenStorage) -> Provider:
    """Return the provider of a client, as far as its file or the stored tokens tell.

    A client_secrets.json names endpoints but no issuer. Those of providers that come with the package are
    known; for any other the stored tokens name the issuer, whose metadata must then name the same token
    endpoint.

    Raises:
        ConfigurationError: If neither tells.
        DiscoveryError: If the issuer's metadata cannot be fetched or used.
    """
    if config.known_provider is None:
        try:
            stored = accounts_in(storage).load_all()
        except StorageError:
            stored = []
        for tokens in stored:
            issuer, _, client_id = grant_of(tokens)
            if issuer and client_id == config.client_id and tokens.token_endpoint == config.token_uri:
                return Provider.of(issuer)
    return config.provider()
