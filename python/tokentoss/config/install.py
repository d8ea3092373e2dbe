"""Installing an OAuth client where widgets look for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_config import GOOGLE_AUTH_URI, GOOGLE_TOKEN_URI, get_config_path
from tokentoss.config.client_secrets import ClientSecrets, read_client_secrets
from tokentoss.exceptions import ConfigurationError, StorageError
from tokentoss.util.folders import expanded
from tokentoss.util.secret import Secret
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from pathlib import Path

GOOGLE_CERT_URL = "https://www.googleapis.com/oauth2/v1/certs"

_GOOGLE_ID_SUFFIX = ".apps.googleusercontent.com"
_GOOGLE_SECRET_PREFIX = "GOCSPX-"


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
    client_secret = secret_or_none(client_secret)
    if path is not None:
        return configure_from_file(path)
    if client_id is not None and client_secret is not None:
        return configure_from_credentials(client_id, client_secret, project_id=project_id)
    raise ConfigurationError(code="configure_nothing_given")


def configure_from_credentials(client_id: str, client_secret: str, project_id: str | None = None) -> Path:
    """Install a Google OAuth client of type Desktop and return where it is stored.

    Raises:
        ValueError: If the client id or secret is empty, holds a character that neither can have, or
            the one was given for the other.
        StorageError: If the client cannot be written.
    """
    client_id, client_secret = (client_id or "").strip(), Secret((client_secret or "").strip())
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
    path = expanded(source_path)
    return install_client(read_client_secrets(path))


def install_client(secrets: ClientSecrets) -> Path:
    """Install the client of a checked client_secrets.json and return where it is stored.

    Args:
        secrets: The client; one without a secret is a public client (RFC 6749 section 2.1).

    Raises:
        StorageError: If the client cannot be written.
    """
    return _install(secrets.document)


def _require_plain(value: str, code: str) -> None:
    """Refuse what cannot be copied from a console: nothing, white space inside, an invisible character."""
    if not value:
        raise ConfigurationError(code=code)
    if not all("!" <= character <= "~" for character in value):
        raise ConfigurationError(code=code, subject="it holds a space or a special character")


def _install(document: dict[str, Any]) -> Path:
    from tokentoss.util.private_file import write_private_file  # noqa: PLC0415 - not needed for reading

    destination = get_config_path()
    try:
        write_private_file(destination, json.dumps(document, indent=2).encode("utf-8"), private_folder=True)
    except OSError as failure:
        reason = failure.strerror or "input/output error"
        raise StorageError(code="storage_unwritable", subject=f"{destination} ({reason})") from failure
    return destination
