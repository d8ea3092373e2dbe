"""The session in use and its counterpart in storage, changed together."""

from __future__ import annotations

import itertools
import logging
import threading
from typing import TYPE_CHECKING

from tokentoss.exceptions import StorageError
from tokentoss.session.session import Session
from tokentoss.session.tokens_from_response import belongs_here
from tokentoss.storage.own_storage import accounts_in
from tokentoss.storage.token_data import grant_of, same_tokens
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.oauth.provider import Provider
    from tokentoss.storage.base import TokenStorage
    from tokentoss.storage.token_data import TokenData

logger = logging.getLogger(__name__)

_sign_ins = itertools.count(1)


class SessionStore:
    """Holds the session of one client, and keeps the storage in step with it.

    Args:
        storage: Where tokens are kept.
        provider: The provider; tokens of others are left alone.
        client_id: The client; tokens of others are left alone.
        hosted_domain: The domain that users must belong to.
        report: Is told what went wrong with the storage; the session goes on without it.

    Attributes:
        session: The session in use; None when signed out.
        sign_in_number: Which sign-in of this process the latest one here was, from 1; 0 for none.
    """

    def __init__(
        self,
        storage: TokenStorage,
        provider: Provider,
        client_id: str,
        hosted_domain: str | None,
        report: Callable[[StorageError], None],
    ) -> None:
        self.storage = accounts_in(storage)
        self.session: Session | None = None
        self.sign_in_number = 0
        self._provider = provider
        self._client_id = client_id
        self._hosted_domain = hosted_domain
        self._report = report
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock)

    def stored(self) -> list[TokenData]:
        """Return the stored tokens of this client's accounts, default account first.

        Raises:
            StorageError: If the storage cannot be read.
        """
        candidates = (
            belongs_here(
                tokens,
                provider=self._provider,
                client_id=self._client_id,
                hosted_domain=self._hosted_domain,
            )
            for tokens in self.storage.load_all()
        )
        return [tokens for tokens in candidates if tokens is not None]

    def counterpart(self, tokens: TokenData) -> TokenData | None:
        """Return what is stored for the account of these tokens.

        Raises:
            StorageError: If the storage cannot be read.
        """
        return next((one for one in self.stored() if grant_of(one) == grant_of(tokens)), None)

    def use(self, tokens: TokenData) -> Session:
        """Make stored tokens the session in use."""
        with self._lock:
            self.session = Session.of(tokens)
            return self.session

    def sign_in(self, tokens: TokenData) -> Session:
        """Store the tokens of a sign-in as those of the default account, and use them."""
        with self._lock:
            stored: TokenData | None = tokens
            try:
                self.storage.save(tokens)
            except StorageError as failure:
                self._not_stored(failure)
                stored = self._counterpart_if_known(tokens)
            self.session = Session.beside(tokens, stored)
            self.sign_in_number = next(_sign_ins)
            return self.session

    def advance(self, session: Session, tokens: TokenData) -> Session | None:
        """Store the newer tokens of a session, then use them: nobody sees them before they are safe.

        Returns:
            The new session; None, and nothing has changed, if the old one is no longer in use here or
            in storage, because of a sign-out or another sign-in.
        """
        with self._lock:
            if self.session is not session:
                return None
            stored = session.stored
            try:
                if stored is None:
                    self.storage.save(tokens)
                elif not self.storage.replace(stored, tokens):
                    return None
                stored = tokens
            except StorageError as failure:
                self._not_stored(failure)
            self.session = Session.beside(tokens, stored)
            return self.session

    def follow(self, session: Session, *, must_know: bool = False) -> Session | None:
        """Adopt what another process has stored for the account of a session.

        Args:
            session: The session in use.
            must_know: Whether a storage that cannot be read is an error.

        Returns:
            The session in use afterwards; None if the account is no longer stored.

        Raises:
            StorageError: If ``must_know``, and the storage cannot be read.
        """
        if session.stored is None:
            return session
        try:
            if not session.is_stored:
                session = self._caught_up(session)
            stored = self.counterpart(session.tokens)
        except StorageError as failure:
            if must_know:
                raise
            # It cannot be read now, which says nothing of the session.
            self._report(failure)
            return session
        with self._lock:
            if self.session is not session:
                return self.session
            if stored is None:
                return None
            if session.stored is not None and not same_tokens(stored, session.stored):
                logger.debug("following a renewal by another process")
                self.session = Session.of(stored)
            return self.session

    def forget(self, session: Session | None) -> bool:
        """Stop using a session, and tell whether it was in use. What is stored stays."""
        with self._lock:
            if session is None or self.session is not session:
                return False
            self.session = None
            return True

    def discard(self, session: Session) -> None:
        """Remove the stored tokens of a session that ended, unless somebody signed in anew meanwhile."""
        try:
            if session.stored is not None:
                self.storage.discard(session.stored)
        except StorageError as failure:
            logger.warning("the ended session is still stored: %s", failure.in_english())

    def _caught_up(self, session: Session) -> Session:
        """Store what could not be stored before, if the storage still holds what it held then.

        Raises:
            StorageError: If it still cannot be stored.
        """
        with self._lock:
            if self.session is not session or session.stored is None:
                return self.session or session
            if self.storage.replace(session.stored, session.tokens):
                self.session = session = Session.of(session.tokens)
            return session

    def _counterpart_if_known(self, tokens: TokenData) -> TokenData | None:
        try:
            return self.counterpart(tokens)
        except StorageError:
            return None

    def _not_stored(self, failure: StorageError) -> None:
        # The user is signed in all the same, until this process ends.
        self._report(failure)
        logger.warning("the tokens are not stored: %s", failure.in_english())
