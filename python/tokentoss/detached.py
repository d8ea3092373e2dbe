"""Tokens without a sign-in of one's own: stored ones, renewed with the client that is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.auth_manager import AuthManager
from tokentoss.configuration import ClientConfig
from tokentoss.exceptions import ConfigurationError
from tokentoss.storage import FileStorage, KeyringStorage

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.providers import Provider
    from tokentoss.storage import TokenStorage


class DetachedManager(AuthManager):
    """An auth manager beside the sign-in of a user: it leaves ``tokentoss.CREDENTIALS`` alone."""

    def _publish(self) -> None:
        pass


def place_of(storage: TokenStorage) -> tuple[str, str] | None:
    """Return where a storage keeps tokens, in words that another process understands, if it does."""
    if isinstance(storage, FileStorage):
        return "file", str(storage.path.absolute())
    if isinstance(storage, KeyringStorage):
        return "keyring", storage.service
    return None


def manager_at(
    place: tuple[str, str],
    account: str | None,
    provider: Provider,
    client_id: str,
    client_secrets_path: Path | None,
    max_session_lifetime_hours: float,
) -> DetachedManager:
    """Return a manager for tokens that another process stored.

    Without a file that holds their client, tokens serve as long as they are valid, and those of a
    public client can be renewed as well.
    """
    kind, where = place
    try:
        config = (
            ClientConfig.discover()
            if client_secrets_path is None
            else ClientConfig.from_file(client_secrets_path)
        )
    except ConfigurationError:
        config = None
    if config is None or config.client_id != client_id:
        config = ClientConfig(
            client_id, auth_uri=provider.authorization_endpoint, token_uri=provider.token_endpoint
        )
    return DetachedManager(
        config,
        storage=KeyringStorage(where) if kind == "keyring" else FileStorage(where),
        provider=provider,
        account=account,
        max_session_lifetime_hours=max_session_lifetime_hours,
    )
