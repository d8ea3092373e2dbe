"""The JSON files that google-auth takes: service account keys, federation and impersonation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_secrets import MAX_SIZE, hiding_secrets
from tokentoss.exceptions import ConfigurationError
from tokentoss.util.secret import SecretBytes

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = "default"
"""What stands for the application default credentials of google-auth in the place of a file."""


def read_credentials(path: Path, name: str) -> dict[str, Any]:
    """Read a credentials file.

    Args:
        path: The file.
        name: How messages call it.

    Returns:
        Its members; those that are secret have a redacted ``repr``.

    Raises:
        ConfigurationError: ``credentials_file_missing``, ``credentials_file_unreadable``,
            ``credentials_file_invalid``, or ``credentials_is_client`` for a client secrets file.
    """
    try:
        with path.open("rb") as file:
            content = SecretBytes(file.read(MAX_SIZE + 1))
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(code="credentials_file_missing", subject=name) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "not a path"
        raise ConfigurationError(code="credentials_file_unreadable", subject=f"{name} ({reason})") from None
    if len(content) > MAX_SIZE:
        raise invalid(name, "it is larger than 64 KiB")
    if not content.strip():
        raise invalid(name, "it is empty")
    try:
        document = json.loads(content.decode("utf-8-sig"), object_hook=hiding_secrets)
    except (ValueError, RecursionError):
        # The parser's own text can quote the file, and with it a key.
        document = None
    if not isinstance(document, dict):
        raise invalid(name, "it is not a JSON object")
    if "type" not in document and ("installed" in document or "web" in document):
        raise ConfigurationError(code="credentials_is_client", subject=name)
    return document


def text_of(info: dict[str, Any], member: str, name: str) -> str:
    """Return a member that must be a text.

    Raises:
        ConfigurationError: ``credentials_file_invalid`` if it is missing or something else.
    """
    value = info.get(member)
    if not isinstance(value, str) or not value:
        raise invalid(name, f"its {member} is missing or not a text")
    return value


def invalid(name: str, reason: str) -> ConfigurationError:
    """Return the error of a file that is not one of those; the reason quotes nothing of it."""
    return ConfigurationError(code="credentials_file_invalid", subject=f"{name} ({reason})")
