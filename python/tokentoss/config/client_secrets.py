"""What a client_secrets.json must hold, and what exactly is wrong with one that does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tokentoss.config.google_services import service_behind
from tokentoss.exceptions import ClientSecretsNotFoundError, ConfigurationError
from tokentoss.util.secret import Secret, SecretBytes
from tokentoss.util.urls import require_secure_endpoint

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 65_536
"""Bytes of the largest file that is read."""

# Those of other kinds of files as well, which are refused.
_SECRET_MEMBERS = frozenset({"client_secret", "private_key", "refresh_token"})

_FEDERATED = frozenset({"external_account", "impersonated_service_account"})
_OF_USERS = frozenset({"authorized_user", "external_account_authorized_user"})


@dataclass(frozen=True)
class ClientSecrets:
    """A checked client_secrets.json.

    Args:
        client_type: ``installed`` (a Desktop client) or ``web``.
        client_id: The client's identifier.
        client_secret: Its secret; empty for a public client.
        auth_uri: The authorization endpoint, or None if the file names none.
        token_uri: The token endpoint, or None if the file names none.
        redirect_uris: The registered redirect URIs, or None if the file names none.
        project_id: The project that the client belongs to, or None.
        document: The whole file, members of no interest here included.
    """

    client_type: str
    client_id: str
    client_secret: str = field(repr=False)
    auth_uri: str | None
    token_uri: str | None
    redirect_uris: list[str] | None
    project_id: str | None
    document: dict[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client_secret", Secret(self.client_secret))


def read_client_secrets(path: Path, name: str | None = None) -> ClientSecrets:
    """Read and check a file.

    Args:
        path: The file.
        name: How messages call it; by default its path.

    Raises:
        ClientSecretsNotFoundError: If there is no such file.
        ConfigurationError: If it cannot be read, or as :func:`parse_client_secrets`.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            content = SecretBytes(file.read(MAX_SIZE + 1))
    except (FileNotFoundError, NotADirectoryError):
        raise ClientSecretsNotFoundError(subject=name) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "not a path"
        raise ConfigurationError(code="client_secrets_unreadable", subject=f"{name} ({reason})") from None
    return parse_client_secrets(content, name)


def parse_client_secrets(content: bytes, name: str) -> ClientSecrets:
    """Check the content of a file.

    Args:
        content: Its bytes.
        name: How messages call it.

    Raises:
        ConfigurationError: If it is no client of type ``installed`` or ``web``; the message names the
            file and what is wrong with it, and holds nothing of its content.
    """
    document = _json_object(content, name)
    client_type, section = _section(document, name)
    client_id = _text(section, "client_id", name)
    if not client_id:
        raise _invalid(name, "it names no client_id")
    return ClientSecrets(
        client_type=client_type,
        client_id=client_id,
        client_secret=_text(section, "client_secret", name) or "",
        auth_uri=_endpoint(section, "auth_uri", name),
        token_uri=_endpoint(section, "token_uri", name),
        redirect_uris=_redirect_uris(section, name),
        project_id=_text(section, "project_id", name) or None,
        document=document,
    )


def _json_object(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > MAX_SIZE:
        raise _invalid(name, "it is larger than 64 KiB")
    if not content.strip():
        raise _invalid(name, "it is empty")
    try:
        document = json.loads(content.decode("utf-8-sig"), object_hook=hiding_secrets)
    except (ValueError, RecursionError):
        # The parser's own text can quote the file, and with it a secret.
        document = None
    if document is None:
        raise _invalid(name, "it is not JSON")
    if not isinstance(document, dict):
        raise _invalid(name, "it is not a JSON object")
    return document


def hiding_secrets(members: dict[str, Any]) -> dict[str, Any]:
    """Hide what must not be seen in the frames that an error passes."""
    for name in _SECRET_MEMBERS & members.keys():
        if isinstance(members[name], str):
            members[name] = Secret(members[name])
    return members


def _section(document: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    if document.get("type") == "service_account" or "private_key" in document:
        raise ConfigurationError(code="client_secrets_service_account", subject=name)
    kind = str(document.get("type"))
    if kind in _FEDERATED:
        raise ConfigurationError(code="client_secrets_external_account", subject=name)
    if kind in _OF_USERS:
        raise ConfigurationError(code="client_secrets_user_tokens", subject=name)
    for client_type in ("installed", "web"):
        if client_type in document:
            section = document[client_type]
            if not isinstance(section, dict):
                raise _invalid(name, f'its member "{client_type}" is not an object')
            return client_type, section
    raise _invalid(name, 'it has neither "installed" nor "web"')


def _text(section: dict[str, Any], member: str, name: str) -> str | None:
    if member not in section:
        return None
    value = section[member]
    if not isinstance(value, str):
        raise _invalid(name, f"its {member} is not a text")
    value = Secret(value.strip()) if isinstance(value, Secret) else value.strip()
    # Addresses are judged as such.
    if not value.isprintable() and not member.endswith("_uri"):
        raise _invalid(name, f"its {member} holds characters that cannot be shown")
    return value


def _endpoint(section: dict[str, Any], member: str, name: str) -> str | None:
    url = _text(section, member, name)
    return None if url is None else require_secure_endpoint(url, member, name)


def _redirect_uris(section: dict[str, Any], name: str) -> list[str] | None:
    uris = section.get("redirect_uris")
    if uris is None:
        return None
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise _invalid(name, "its redirect_uris are not a list of texts")
    services = [service_behind(uri) for uri in uris]
    if uris and all(services):
        subject = f"{name} is {services[0]}'s own client"
        raise ConfigurationError(code="client_secrets_service_client", subject=subject)
    return list(uris)


def _invalid(name: str, reason: str) -> ConfigurationError:
    return ConfigurationError(code="client_secrets_invalid", subject=f"{name} ({reason})")
