"""The OAuth client: where it is configured, and installing one where widgets look for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokentoss.catalogue import name_of
from tokentoss.client_secrets import ClientSecrets, read_client_secrets
from tokentoss.exceptions import ConfigurationError, StorageError
from tokentoss.providers import GOOGLE, Provider

APP_NAME = "tokentoss"
"""Folder of this package in the user's configuration folder."""

CLIENT_SECRETS_VARIABLE = "TOKENTOSS_CLIENT_SECRETS"
"""Environment variable that names the client secrets file."""

GOOGLE_AUTH_URI = "https://accounts.google.com/o/oauth2/auth"
"""The authorization endpoint that Google's console writes into client_secrets.json."""

GOOGLE_TOKEN_URI = GOOGLE.token_endpoint
GOOGLE_CERT_URL = "https://www.googleapis.com/oauth2/v1/certs"

_GOOGLE_AUTH_URIS = frozenset({GOOGLE_AUTH_URI, GOOGLE.authorization_endpoint})
_GOOGLE_TOKEN_URIS = frozenset(
    {
        GOOGLE_TOKEN_URI,
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://www.googleapis.com/oauth2/v4/token",
    }
)
_GOOGLE_ID_SUFFIX = ".apps.googleusercontent.com"
_GOOGLE_SECRET_PREFIX = "GOCSPX-"


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
        )

    @property
    def is_google(self) -> bool:
        """Whether the endpoints are Google's, in any of the forms that its console wrote."""
        return self.auth_uri in _GOOGLE_AUTH_URIS and self.token_uri in _GOOGLE_TOKEN_URIS

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


def get_config_path() -> Path:
    """Return where ``configure`` writes client_secrets.json, such as ``~/.config/tokentoss/``."""
    import platformdirs  # noqa: PLC0415 - only callers without an explicit path need it

    return Path(platformdirs.user_config_dir(APP_NAME)) / "client_secrets.json"


def configured_path() -> tuple[Path, bool]:
    """Return where the client is looked for, and whether ``TOKENTOSS_CLIENT_SECRETS`` says so."""
    named = os.environ.get(CLIENT_SECRETS_VARIABLE)
    return (Path(named).expanduser(), True) if named else (get_config_path(), False)


def configure(
    client_id: str | None = None,
    client_secret: str | None = None,
    path: str | Path | None = None,
    project_id: str | None = None,
) -> Path:
    """Install an OAuth client, given as credentials or as a file, and return where it is stored.

    Args:
        client_id: The identifier of a Google client of type Desktop.
        client_secret: Its secret.
        path: A downloaded client_secrets.json, instead of the two.
        project_id: The project that the client belongs to; a file names its own.

    Raises:
        ValueError: If neither both credentials nor a path are given, or they are not valid.
        FileNotFoundError: If there is no file at ``path``.
        StorageError: If the client cannot be written.
    """
    if path is not None:
        return configure_from_file(path)
    if client_id is not None and client_secret is not None:
        return configure_from_credentials(client_id, client_secret, project_id=project_id)
    raise ConfigurationError(
        "Nothing to configure: give client_id and client_secret, or the path of a client_secrets.json."
    )


def configure_from_credentials(client_id: str, client_secret: str, project_id: str | None = None) -> Path:
    """Install a Google OAuth client of type Desktop and return where it is stored.

    Raises:
        ValueError: If the client id or secret is empty, holds a character that neither can have, or
            the one was given for the other.
        StorageError: If the client cannot be written.
    """
    client_id, client_secret = (client_id or "").strip(), (client_secret or "").strip()
    if client_id.startswith(_GOOGLE_SECRET_PREFIX):
        raise ConfigurationError(code="client_id_invalid", subject="it looks like a client secret")
    if client_secret.endswith(_GOOGLE_ID_SUFFIX):
        raise ConfigurationError(code="client_secret_invalid", subject="it looks like a client ID")
    _require_plain(client_id, "client_id_invalid")
    _require_plain(client_secret, "client_secret_invalid")
    section: dict[str, Any] = {
        "client_id": client_id,
        "client_secret": client_secret,
        "auth_uri": GOOGLE_AUTH_URI,
        "token_uri": GOOGLE_TOKEN_URI,
        "auth_provider_x509_cert_url": GOOGLE_CERT_URL,
        "redirect_uris": ["http://localhost"],
    }
    if project_id and project_id.strip():
        section["project_id"] = project_id.strip()
    return _install({"installed": section})


def configure_from_file(source_path: str | Path) -> Path:
    """Check a client_secrets.json, install a copy of it, and return where it is stored.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a client secrets file.
        StorageError: If the client cannot be written.
    """
    path = Path(source_path).expanduser()
    return install_client(read_client_secrets(path), str(path))


def install_client(secrets: ClientSecrets, name: str) -> Path:
    """Install the client of a checked client_secrets.json and return where it is stored.

    Args:
        secrets: The client.
        name: How messages call the file that it comes from.

    Raises:
        ConfigurationError: If it has no secret.
        StorageError: If the client cannot be written.
    """
    if not secrets.client_secret:
        raise ConfigurationError(code="client_secrets_invalid", subject=f"{name} (it names no client_secret)")
    return _install(secrets.document)


def _require_plain(value: str, code: str) -> None:
    """Refuse what cannot be copied from a console: nothing, white space inside, an invisible character."""
    if not value:
        raise ConfigurationError(code=code)
    if not all("!" <= character <= "~" for character in value):
        raise ConfigurationError(code=code, subject="it holds a space or a special character")


def _install(document: dict[str, Any]) -> Path:
    from tokentoss.storage.private_file import write_private_file  # noqa: PLC0415 - not needed for reading

    destination = get_config_path()
    try:
        write_private_file(destination, json.dumps(document, indent=2).encode("utf-8"), private_folder=True)
    except OSError as failure:
        reason = failure.strerror or "input/output error"
        raise StorageError(code="storage_unwritable", subject=f"{destination} ({reason})") from failure
    return destination
