"""A session that another process stored: where its tokens are, and whose client renews them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokentoss.config.client_config import ClientConfig
from tokentoss.exceptions import ConfigurationError
from tokentoss.storage import FileStorage, KeyringStorage

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.oauth.provider import Provider
    from tokentoss.storage import TokenStorage


@dataclass(frozen=True)
class StoredSession:
    """What another process of the user needs to use the same session. It holds no token and no secret.

    Args:
        place: Where the tokens are kept, as :func:`place_of` says.
        account: The key of the account; None for the one that is used by default.
        provider: The provider.
        client_id: The client.
        client_secrets_path: The file that holds the client, if it came from one.
        max_session_lifetime_hours: Hours after which the sign-in is no longer used.
    """

    place: tuple[str, str]
    account: str | None
    provider: Provider
    client_id: str
    client_secrets_path: Path | None
    max_session_lifetime_hours: float

    def storage(self) -> TokenStorage:
        """Return where the tokens are kept."""
        kind, where = self.place
        return KeyringStorage(where) if kind == "keyring" else FileStorage(where)

    def client_config(self) -> ClientConfig:
        """Return the client.

        Without a file that holds it, tokens serve as long as they are valid, and those of a public client
        can be renewed as well.
        """
        try:
            config = (
                ClientConfig.discover()
                if self.client_secrets_path is None
                else ClientConfig.from_file(self.client_secrets_path)
            )
        except ConfigurationError:
            config = None
        if config is not None and config.client_id == self.client_id:
            return config
        return ClientConfig(
            self.client_id,
            auth_uri=self.provider.authorization_endpoint,
            token_uri=self.provider.token_endpoint,
        )


def place_of(storage: TokenStorage) -> tuple[str, str]:
    """Return where a storage keeps tokens, in words that another process understands.

    Raises:
        TypeError: If it keeps them in memory, or in a place of its own.
    """
    if isinstance(storage, FileStorage):
        return "file", str(storage.path.absolute())
    if isinstance(storage, KeyringStorage):
        return "keyring", storage.service
    raise TypeError(
        "Credentials whose tokens are kept in memory cannot be pickled: give the auth manager a FileStorage."
    )
