"""The OAuth client: reading client_secrets.json, and installing it where widgets look for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokentoss.exceptions import ClientSecretsNotFoundError, ConfigurationError, StorageError
from tokentoss.origins import require_secure_endpoint, split_url
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
_MAX_FILE_SIZE = 65_536


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
    """

    client_id: str
    client_secret: str = ""
    auth_uri: str = GOOGLE_AUTH_URI
    token_uri: str = GOOGLE_TOKEN_URI
    redirect_uris: list[str] | None = None
    client_type: str = "installed"
    source: Path | None = None

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
        data = _read_json_object(path)
        section_name, section = _section(path, data)
        config = cls(
            client_id=_text(path, section, "client_id"),
            client_secret=_text(path, section, "client_secret", ""),
            auth_uri=_text(path, section, "auth_uri", GOOGLE_AUTH_URI),
            token_uri=_text(path, section, "token_uri", GOOGLE_TOKEN_URI),
            redirect_uris=_redirect_uris(path, section),
            client_type=section_name,
            source=path,
        )
        require_secure_endpoint(config.auth_uri, "auth_uri", str(path))
        require_secure_endpoint(config.token_uri, "token_uri", str(path))
        return config

    @classmethod
    def discover(cls) -> ClientConfig:
        """Read the file that ``TOKENTOSS_CLIENT_SECRETS`` names, or the one that ``configure`` wrote.

        Raises:
            ClientSecretsNotFoundError: If there is neither.
            ConfigurationError: As :meth:`from_file`.
        """
        named = os.environ.get(CLIENT_SECRETS_VARIABLE)
        return cls.from_file(named or get_config_path())

    @property
    def is_google(self) -> bool:
        """Whether the endpoints are Google's, in any of the forms that its console wrote."""
        return self.auth_uri in _GOOGLE_AUTH_URIS and self.token_uri in _GOOGLE_TOKEN_URIS

    def provider(self) -> Provider:
        """Return the provider that the endpoints belong to.

        Raises:
            ConfigurationError: If they are not Google's: another provider must be given explicitly,
                because client_secrets.json does not name an issuer.
        """
        if self.is_google:
            return GOOGLE
        where = self.source or self.client_id
        raise ConfigurationError(
            f"The endpoints in {where} are not Google's: "
            'use AuthWidget(provider=Provider.discover("https://issuer")) for another provider.'
        )

    def loopback_redirect(self, default_path: str) -> tuple[str, int, str]:
        """Return host, port and path of the redirect URI; port 0 stands for any free one.

        Raises:
            ConfigurationError: ``client_secrets_redirect_missing`` for a web client without a
                registered ``http://127.0.0.1:PORT/…`` or ``http://localhost:PORT/…``.
        """
        if self.client_type != "web":
            return "127.0.0.1", 0, default_path
        for uri in self.redirect_uris or []:
            parts = split_url(uri)
            if (
                parts is not None
                and parts.scheme == "http"
                and parts.hostname in {"127.0.0.1", "localhost"}
                and parts.port
                and not parts.query
                and not parts.fragment
                and not parts.path.startswith("/tokentoss/")
            ):
                return parts.hostname, parts.port, parts.path
        raise ConfigurationError(
            code="client_secrets_redirect_missing", subject=str(self.source or self.client_id)
        )


def get_config_path() -> Path:
    """Return where ``configure`` writes client_secrets.json, such as ``~/.config/tokentoss/``."""
    import platformdirs  # noqa: PLC0415 - only callers without an explicit path need it

    return Path(platformdirs.user_config_dir(APP_NAME)) / "client_secrets.json"


def configure(
    client_id: str | None = None,
    client_secret: str | None = None,
    path: str | Path | None = None,
    project_id: str | None = None,
) -> Path:
    """Install an OAuth client, given as credentials or as a file, and return where it is stored.

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
        ValueError: If the client id or secret is empty.
        StorageError: If the client cannot be written.
    """
    section: dict[str, Any] = {
        "auth_uri": GOOGLE_AUTH_URI,
        "token_uri": GOOGLE_TOKEN_URI,
        "auth_provider_x509_cert_url": GOOGLE_CERT_URL,
        "redirect_uris": ["http://localhost"],
    }
    for name, value in (("client_id", client_id), ("client_secret", client_secret)):
        if not value or not value.strip():
            raise ConfigurationError(f"The {name} is empty: copy it from the provider's console.")
        section[name] = value.strip()
    if project_id:
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
    config = ClientConfig.from_file(path)
    if not config.client_secret:
        raise ConfigurationError(code="client_secrets_invalid", subject=f"{path} (client_secret)")
    return _install(_read_json_object(path))


def _install(data: dict[str, Any]) -> Path:
    from tokentoss.storage.private_file import write_private_file  # noqa: PLC0415 - not needed for reading

    destination = get_config_path()
    try:
        write_private_file(destination, json.dumps(data, indent=2).encode("utf-8"), private_folder=True)
    except OSError as failure:
        raise StorageError(
            code="storage_unwritable", subject=f"{destination} ({failure.strerror})"
        ) from failure
    return destination


def _read_json_object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_SIZE + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise ClientSecretsNotFoundError(subject=str(path)) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "not a path"
        raise ConfigurationError(code="client_secrets_unreadable", subject=f"{path} ({reason})") from None
    if len(content) > _MAX_FILE_SIZE:
        raise _invalid(path, "larger than 64 KiB")
    if not content.strip():
        raise _invalid(path, "empty")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        # The parser's own text can quote the file, and with it a secret.
        raise _invalid(path, "not JSON") from None
    if not isinstance(data, dict):
        raise _invalid(path, "not a JSON object")
    return data


def _section(path: Path, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if data.get("type") == "service_account" or "private_key" in data:
        raise ConfigurationError(code="client_secrets_service_account", subject=str(path))
    for name in ("installed", "web"):
        if name in data:
            section = data[name]
            if not isinstance(section, dict):
                raise _invalid(path, f"{name} is not an object")
            return name, section
    raise _invalid(path, "neither installed nor web")


def _text(path: Path, section: dict[str, Any], name: str, default: str | None = None) -> str:
    value = section.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise _invalid(path, name)
    return value.strip()


def _redirect_uris(path: Path, section: dict[str, Any]) -> list[str] | None:
    uris = section.get("redirect_uris")
    if uris is None:
        return None
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise _invalid(path, "redirect_uris")
    return list(uris)


def _invalid(path: Path, detail: str) -> ConfigurationError:
    return ConfigurationError(code="client_secrets_invalid", subject=f"{path} ({detail})")
