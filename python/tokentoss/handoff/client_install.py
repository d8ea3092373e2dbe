"""The hand-off of an OAuth client from the page to the kernel: one ticket, one key, one sealed answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokentoss.config.client_config import ClientConfig
from tokentoss.config.client_secrets import ClientSecrets, parse_client_secrets
from tokentoss.config.install import configure_from_credentials, install_client
from tokentoss.error_codes import printable
from tokentoss.exceptions import HandOffError
from tokentoss.handoff.sealing import CONFIGURATION, RecipientKey, SealingContext
from tokentoss.util.base64url import b64url, random_b64url
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from pathlib import Path

TICKET_VERSION = 1

_LENGTH_BYTES = 2
_MAX_NAME = 80
_UNNAMED = "The chosen file"


@dataclass(frozen=True)
class InstalledClient:
    """A client that was installed."""

    client_id: str
    project_id: str
    path: Path


class ClientHandOff:
    """Takes one client from the page, sealed to a key that is used once."""

    def __init__(self) -> None:
        self.id = random_b64url(16)
        self._key: RecipientKey | None = RecipientKey.generate()
        self._public_key = self._key.public
        # Re-entrant, because a widget may be collected anywhere, and closes this then.
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock)

    def __repr__(self) -> str:
        return f"ClientHandOff(id={self.id!r}, is_open={self._key is not None})"

    def ticket(self) -> dict[str, Any]:
        """Return what the page needs to seal a client to this kernel. It holds no secret."""
        return {"version": TICKET_VERSION, "id": self.id, "public_key": b64url(self._public_key)}

    def open(self, sealed: str) -> bytes:
        """Return what the page sealed. The first message that opens is the only one: the key is gone then.

        Raises:
            HandOffError: ``envelope_unreadable`` if it was not sealed for this hand-off, or is not the
                first; nothing changes then, because anyone can make such a thing.
        """
        with self._lock:
            if self._key is None:
                raise HandOffError(code="envelope_unreadable")
            plaintext = self._key.open(sealed, SealingContext(CONFIGURATION, self.id, "", ""))
            self._key = None
            return plaintext

    def close(self) -> None:
        """Take nothing any more."""
        with self._lock:
            self._key = None


def install(plaintext: bytes) -> InstalledClient:
    """Check the client in a page's message, then install it.

    The message is a list of parts, each after its length in two bytes: ``credentials``, client ID, secret
    and project ID, or else ``file`` and the file's name, with the file itself as the rest.

    Raises:
        HandOffError: ``envelope_unreadable`` if it is no such message.
        ConfigurationError: If the client is not valid; nothing is written then.
        StorageError: If it cannot be written.
    """
    kind, rest = _part(plaintext)
    if kind == "credentials":
        client_id, rest = _part(rest)
        client_secret, rest = _part(rest)
        project_id, rest = _part(rest)
        if rest:
            raise HandOffError(code="envelope_unreadable")
        path = configure_from_credentials(client_id, client_secret, project_id)
        return _installed(ClientConfig.from_file(path), path)
    if kind == "file":
        name, content = _part(rest)
        shown = printable(name, _MAX_NAME) or _UNNAMED
        secrets = parse_client_secrets(content, shown)
        return _installed(secrets, install_client(secrets))
    raise HandOffError(code="envelope_unreadable")


def _installed(client: ClientConfig | ClientSecrets, path: Path) -> InstalledClient:
    return InstalledClient(client.client_id, client.project_id or "", path)


def _part(data: bytes) -> tuple[str, bytes]:
    """Return the first part as text, and the rest."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < max(end, _LENGTH_BYTES):
        raise HandOffError(code="envelope_unreadable")
    try:
        return data[_LENGTH_BYTES:end].decode("utf-8"), data[end:]
    except UnicodeDecodeError:
        raise HandOffError(code="envelope_unreadable") from None
