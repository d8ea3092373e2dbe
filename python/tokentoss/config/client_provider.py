"""Which provider a client belongs to: its identifier and secret go to no other one.

The same rule is written down as vectors for all languages in ``tests/vectors/client_provider.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.catalogue import name_of
from tokentoss.oauth.endpoints import GOOGLE_AUTH_URIS, GOOGLE_TOKEN_URIS

if TYPE_CHECKING:
    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.provider import Provider

_GOOGLE_ID_SUFFIX = ".apps.googleusercontent.com"


def require_client_of(config: ClientConfig, provider: Provider) -> None:
    """Check that a client may be shown to a provider.

    A client from a file belongs to the file's endpoints, and one that was made with endpoints to those. One
    that was made without any belongs to the provider that it is used with, unless its identifier is Google's,
    or the provider mixes the endpoints of another one with its own (RFC 9700 section 4.4).

    Raises:
        ConfigurationError: ``client_of_another_provider``.
    """
    endpoints = provider.authorization_endpoint, provider.token_endpoint
    if config.names_endpoints or config.client_id.endswith(_GOOGLE_ID_SUFFIX):
        belongs = _normalised(config.auth_uri, config.token_uri) == _normalised(*endpoints)
    else:
        belongs = _known_owner(*endpoints) is not _MIXED
    if not belongs:
        where = config.source or config.client_id
        raise ConfigurationError(code="client_of_another_provider", subject=f"{where} ({provider.issuer})")


_MIXED = "mixed"


def _known_owner(authorization_endpoint: str, token_endpoint: str) -> str | None:
    """Return whose two endpoints are: a known provider's name, None for an unknown one, or ``mixed``."""
    first = "google" if authorization_endpoint in GOOGLE_AUTH_URIS else None
    second = "google" if token_endpoint in GOOGLE_TOKEN_URIS else None
    first = first or name_of("authorization_endpoint", authorization_endpoint)
    second = second or name_of("token_endpoint", token_endpoint)
    return first if first == second else _MIXED


def _normalised(auth_uri: str, token_uri: str) -> tuple[str, str]:
    """Return endpoints with Google's in one form, because its console wrote several."""
    return (
        "google" if auth_uri in GOOGLE_AUTH_URIS else auth_uri,
        "google" if token_uri in GOOGLE_TOKEN_URIS else token_uri,
    )
