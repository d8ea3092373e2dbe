"""The OAuth client, and where it is configured."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_secrets import ClientSecrets, read_client_secrets
from tokentoss.exceptions import ClientSecretsNotFoundError, ConfigurationError, StorageError
from tokentoss.oauth.catalogue import name_of
from tokentoss.oauth.endpoints import GOOGLE_AUTH_URIS, GOOGLE_TOKEN_URIS
from tokentoss.oauth.provider import GOOGLE, Provider
from tokentoss.util.folders import config_folder, expanded
from tokentoss.util.secret_text import keeping_secret

if TYPE_CHECKING:
    from pathlib import Path

CLIENT_SECRETS_VARIABLE = "TOKENTOSS_CLIENT_SECRETS"
"""Environment variable that names the client secrets file."""


GOOGLE_AUTH_URI = "https://accounts.google.com/o/oauth2/auth"
"""The authorization endpoint that Google's console writes into client_secrets.json."""


GOOGLE_TOKEN_URI = GOOGLE.token_endpoint


@keeping_secret("client_secret")
@dataclass(repr=False)
class ClientConfig:
    """An OAuth client, as client_secrets.json describes it.

    Args:
        client_id: The client's identifier.
        client_secret: Its secret; empty for a public client.
        auth_uri: The authorization endpoint. A client that names endpoints is used with no other ones.
        token_uri: The token endpoint.
        redirect_uris: The registered redirect URIs.
        client_type: ``installed`` (any loopback port) or ``web`` (only registered redirect URIs).
        source: The file that it was read from.
        project_id: The project that it belongs to.
    """

    client_id: str
    client_secret: str = ""
    auth_uri: str = GOOGLE_AUTH_URI
    token_uri: str = GOOGLE_TOKEN_URI
    redirect_uris: list[str] | None = None
    client_type: str = "installed"
    source: Path | None = None
    project_id: str | None = None

    def __repr__(self) -> str:
        secret = "redacted" if self.client_secret else "none"
        return f"ClientConfig(client_id={self.client_id!r}, client_secret={secret})"

    def __copy__(self) -> ClientConfig:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> ClientConfig:
        return replace(self, redirect_uris=None if self.redirect_uris is None else list(self.redirect_uris))

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
        try:
            path = expanded(path)
        except StorageError as failure:
            raise ConfigurationError(str(failure), code=failure.code) from None
        return cls._from(read_client_secrets(path), path)

    @classmethod
    def discover(cls) -> ClientConfig:
        """Read the file that ``TOKENTOSS_CLIENT_SECRETS`` names, or the one that ``configure`` wrote.

        Raises:
            ClientSecretsNotFoundError: If there is neither.
            ConfigurationError: As :meth:`from_file`.
        """
        try:
            path, named = configured_path()
        except StorageError as failure:
            # There is no file, and the sentence says what to do.
            raise ClientSecretsNotFoundError(str(failure), code=failure.code) from None
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
        )

    @property
    def names_endpoints(self) -> bool:
        """Whether the client belongs to its endpoints: it comes from a file, or was made with some."""
        is_default = self.auth_uri == GOOGLE_AUTH_URI and self.token_uri == GOOGLE_TOKEN_URI
        return self.source is not None or not is_default

    @property
    def is_google(self) -> bool:
        """Whether the endpoints are Google's, in any of the forms that its console wrote."""
        return self.auth_uri in GOOGLE_AUTH_URIS and self.token_uri in GOOGLE_TOKEN_URIS

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
            ConfigurationError: ``provider_required`` if they are of none that comes with the package: another
                one must be given explicitly, because client_secrets.json does not name an issuer.
        """
        known = self.known_provider
        if known is not None:
            return known
        raise ConfigurationError(code="provider_required", subject=str(self.source or self.client_id))


def get_config_path() -> Path:
    """Return where ``configure`` writes client_secrets.json, such as ``~/.config/tokentoss/``.

    Raises:
        StorageError: ``storage_home_missing`` if the user has no home folder.
    """
    return config_folder() / "client_secrets.json"


def configured_path() -> tuple[Path, bool]:
    """Return where the client is looked for, and whether ``TOKENTOSS_CLIENT_SECRETS`` says so.

    Raises:
        StorageError: ``storage_home_missing`` if that is below a home folder that the user does not have.
    """
    named = os.environ.get(CLIENT_SECRETS_VARIABLE)
    return (expanded(named), True) if named else (get_config_path(), False)
