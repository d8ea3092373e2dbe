"""The OAuth client, and where it is configured."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokentoss.config.client_secrets import ClientSecrets, read_client_secrets
from tokentoss.exceptions import ConfigurationError
from tokentoss.oauth.catalogue import name_of
from tokentoss.oauth.provider import GOOGLE, Provider

APP_NAME = "tokentoss"
"""Folder of this package in the user's configuration folder."""


CLIENT_SECRETS_VARIABLE = "TOKENTOSS_CLIENT_SECRETS"
"""Environment variable that names the client secrets file."""


GOOGLE_AUTH_URI = "https://accounts.google.com/o/oauth2/auth"
"""The authorization endpoint that Google's console writes into client_secrets.json."""


GOOGLE_TOKEN_URI = GOOGLE.token_endpoint


_GOOGLE_AUTH_URIS = frozenset({GOOGLE_AUTH_URI, GOOGLE.authorization_endpoint})


_GOOGLE_TOKEN_URIS = frozenset(
    {
        GOOGLE_TOKEN_URI,
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://www.googleapis.com/oauth2/v4/token",
    }
)


@dataclass(repr=False)
class ClientConfig:
    """An OAuth client, as client_secrets.json describes it.

    Args:
        client_id: The client's identifier.
        client_secret: Its secret; empty for a public client.
        auth_uri: The authorization endpoint.
        token_uri: The token endpoint.
        redirect_uris: The registered redirect URIs.
        client_type: ``installed`` (any loopback port) or ``web`` (only registered redirect URIs).
        source: The file that it was read from.
        project_id: The project that it belongs to.
        names_endpoints: Whether the endpoints are the client's own, so that it is of no other provider; by
            default whether they are other ones than the defaults.
    """

    client_id: str
    client_secret: str = ""
    auth_uri: str = GOOGLE_AUTH_URI
    token_uri: str = GOOGLE_TOKEN_URI
    redirect_uris: list[str] | None = None
    client_type: str = "installed"
    source: Path | None = None
    project_id: str | None = None
    names_endpoints: bool | None = None

    def __post_init__(self) -> None:
        if self.names_endpoints is None:
            self.names_endpoints = (self.auth_uri, self.token_uri) != (GOOGLE_AUTH_URI, GOOGLE_TOKEN_URI)

    def __repr__(self) -> str:
        secret = "redacted" if self.client_secret else "none"
        return f"ClientConfig(client_id={self.client_id!r}, client_secret={secret})"

    def __reduce__(self) -> Any:
        raise TypeError("ClientConfig may hold a client secret and cannot be pickled: load it from its file.")

    @classmethod
    def from_file(cls, path: str | Path) -> ClientConfig:
        """Read a client_secrets.json of type ``installed`` (Desktop) or ``web``.

        Raises:
            ClientSecretsNotFoundError: If there is no such file (also a FileNotFoundError).
            ConfigurationError: If it is no such file (also a ValueError): a directory, not JSON, a
                service account key, without a client id, or with an endpoint that is not https.
        """
        path = Path(path).expanduser()
        return cls._from(read_client_secrets(path), path)

    @classmethod
    def discover(cls) -> ClientConfig:
        """Read the file that ``TOKENTOSS_CLIENT_SECRETS`` names, or the one that ``configure`` wrote.

        Raises:
            ClientSecretsNotFoundError: If there is neither.
            ConfigurationError: As :meth:`from_file`.
        """
        path, named = configured_path()
        # The variable may have been set long ago and elsewhere, so a message about its file says so.
        name = f"{path} (named by {CLIENT_SECRETS_VARIABLE})" if named else None
        return cls._from(read_client_secrets(path, name), path)

    @classmethod
    def _from(cls, secrets: ClientSecrets, path: Path) -> ClientConfig:
        return cls(
            client_id=secrets.client_id,
            client_secret=secrets.client_secret,
            auth_uri=secrets.auth_uri or GOOGLE_AUTH_URI,
            token_uri=secrets.token_uri or GOOGLE_TOKEN_URI,
            redirect_uris=secrets.redirect_uris,
            client_type=secrets.client_type,
            source=path,
            project_id=secrets.project_id,
            names_endpoints=bool(secrets.auth_uri or secrets.token_uri),
        )

    @property
    def is_google(self) -> bool:
        """Whether the endpoints are Google's, in any of the forms that its console wrote."""
        return google_endpoints(self.auth_uri, self.token_uri)

    @property
    def known_provider(self) -> Provider | None:
        """The provider of these endpoints, if it comes with the package."""
        if self.is_google:
            return GOOGLE
        name = name_of("token_endpoint", self.token_uri)
        provider = None if name is None else Provider.named(name)
        return provider if provider and provider.authorization_endpoint == self.auth_uri else None

    def provider(self) -> Provider:
        """Return the provider that the endpoints belong to.

        Raises:
            ConfigurationError: If they are of none that comes with the package: another one must be given
                explicitly, because client_secrets.json does not name an issuer.
        """
        known = self.known_provider
        if known is not None:
            return known
        where = self.source or self.client_id
        raise ConfigurationError(
            f"The endpoints in {where} are not Google's, nor of another provider of this package: "
            'use AuthWidget(provider=Provider.discover("https://issuer")) for another provider.'
        )


def google_endpoints(authorization_endpoint: str, token_endpoint: str) -> bool:
    """Tell whether both endpoints are Google's, in any of the forms that its console wrote."""
    return authorization_endpoint in _GOOGLE_AUTH_URIS and token_endpoint in _GOOGLE_TOKEN_URIS


def get_config_path() -> Path:
    """Return where ``configure`` writes client_secrets.json, such as ``~/.config/tokentoss/``."""
    import platformdirs  # noqa: PLC0415 - only callers without an explicit path need it

    return Path(platformdirs.user_config_dir(APP_NAME)) / "client_secrets.json"


def configured_path() -> tuple[Path, bool]:
    """Return where the client is looked for, and whether ``TOKENTOSS_CLIENT_SECRETS`` says so."""
    named = os.environ.get(CLIENT_SECRETS_VARIABLE)
    return (Path(named).expanduser(), True) if named else (get_config_path(), False)
