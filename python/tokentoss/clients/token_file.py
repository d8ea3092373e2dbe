"""The ID tokens of the token file, for processes in which nobody has signed in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tokentoss.exceptions import StorageError, TokenRefreshError, TokenTossError
from tokentoss.session.app_host import token_file
from tokentoss.session.auth_manager import DetachedManager
from tokentoss.session.session import Session, id_token_is_due
from tokentoss.storage.accounts import Account
from tokentoss.storage.token_data import grant_of, same_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from tokentoss.clients.wanted_provider import WantedProvider
    from tokentoss.storage import FileStorage
    from tokentoss.storage.token_data import TokenData

NOT_USED = "the token file (not used: several people use this app, so give the client an auth_manager)"
"""What is said of the file where it would be that of several people."""


class StoredIdTokens:
    """Reads the token file on every use, and renews its tokens with the client that is configured.

    Args:
        wanted: Whose tokens to use.

    Attributes:
        account: Whose token was returned last.
    """

    def __init__(self, wanted: WantedProvider) -> None:
        self._wanted = wanted
        self.account: Account | None = None
        self._manager: DetachedManager | None = None
        self._place: tuple[Path, tuple[str, str, str]] | None = None
        self._session: Session | None = None

    def id_token(self, owner: str | None, looked_at: list[str]) -> str | None:
        """Return the ID token of an account.

        Args:
            owner: The account's key; None for the default account.
            looked_at: Is told where no token was found, and why.

        Raises:
            TokenRefreshError: If it has expired and cannot be renewed.
        """
        try:
            storage = token_file()
            if storage is None:
                looked_at.append(NOT_USED)
                return None
            tokens = self._chosen(storage, owner)
        except StorageError as failure:
            looked_at.append(str(failure))
            return None
        if tokens is None:
            looked_at.append(
                f"{storage.path} (no tokens{' of this account' if owner else f' of {self._wanted.name}'})"
            )
            return None
        session = self._session
        if session is None or not same_tokens(session.tokens, tokens):
            session = self._session = Session.of(tokens)
        if tokens.signature_checked and not id_token_is_due(session):
            self.account = Account.of(tokens)
            return tokens.id_token
        try:
            token = self._renewing_manager(storage, tokens).id_token
            if token is not None:
                self.account = Account.of(tokens)
                return token
            why = "no valid ID token"
        except TokenRefreshError:
            raise
        except TokenTossError as failure:
            # Without a client, or without its provider's metadata, nothing can be renewed.
            why = f"no valid ID token, and none can be had: {failure}"
        if tokens.signature_checked and session.id_token_expires_at > time.time():
            self.account = Account.of(tokens)
            return tokens.id_token
        looked_at.append(f"{storage.path} ({why})")
        return None

    def id_token_after(self, owner: str | None, refused: str) -> str | None:
        """Return a newer ID token than one that a service refused; None if the file has none.

        Raises:
            TokenTossError: If there is no client, or it cannot renew.
        """
        storage = token_file()
        if storage is None:
            return None
        tokens = self._chosen(storage, owner)
        return self._renewing_manager(storage, tokens).id_token_after(refused) if tokens is not None else None

    def _renewing_manager(self, storage: FileStorage, tokens: TokenData) -> DetachedManager:
        """Return the manager of earlier calls, as long as it is for the same file and account."""
        place = storage.path, grant_of(tokens)
        if self._manager is None or self._place != place:
            account = Account.of(tokens)
            self._manager = DetachedManager(
                storage=storage,
                account=account if account.subject else None,
                provider=self._wanted.resolved(),
            )
            self._place = place
        self._manager.reload()
        return self._manager

    def _chosen(self, storage: FileStorage, owner: str | None) -> TokenData | None:
        """Return the tokens of an account, or of the default one; accounts without ID tokens come last.

        Raises:
            StorageError: If the file cannot be read.
        """
        stored = storage.load_all()
        if owner is not None:
            stored = [tokens for tokens in stored if Account.of(tokens).key == owner]
        own = [tokens for tokens in stored if grant_of(tokens)[0] == self._wanted.issuer]
        return next(iter(sorted(own, key=lambda tokens: not tokens.id_token)), None)
