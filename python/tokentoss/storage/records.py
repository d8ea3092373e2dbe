"""The tokens of several accounts in one place that is read and written as a whole."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from tokentoss.storage.token_data import grant_of, same_tokens
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tokentoss.storage.token_data import TokenData


class RecordStorage(ABC):
    """Base of the storages: what they do with accounts, on top of reading and writing all of them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._turns: dict[tuple[str, str, str], threading.Lock] = {}
        anew_in_child(self, _lock=threading.RLock, _turns=dict)

    @abstractmethod
    def _read(self) -> list[TokenData]:
        """Return what is stored, default account first."""

    @abstractmethod
    def _write(self, records: list[TokenData]) -> None:
        """Replace what is stored; an empty list leaves nothing behind."""

    @abstractmethod
    def clear(self) -> None:
        """Remove the tokens of all accounts."""

    def _exclusively(self) -> AbstractContextManager[None]:
        """Keep other processes from writing between a read and its write."""
        return nullcontext()

    def _read_to_add(self) -> list[TokenData]:
        return self._read()

    def save(self, tokens: TokenData) -> None:
        """Store the tokens of a sign-in and make its account the default; other accounts stay.

        Raises:
            StorageError: If they cannot be stored; what was stored stays.
        """
        with self._lock, self._exclusively():
            others = [one for one in self._read_to_add() if grant_of(one) != grant_of(tokens)]
            self._write([tokens, *others])

    def load(self) -> TokenData | None:
        """Return the tokens of the default account, or None if nothing is stored.

        Raises:
            StorageError: If what is stored cannot be read.
        """
        return next(iter(self.load_all()), None)

    def load_all(self) -> list[TokenData]:
        """Return the tokens of all accounts, default account first.

        Raises:
            StorageError: If what is stored cannot be read.
        """
        return self._read()

    def exists(self) -> bool:
        """Tell whether anything is stored."""
        return bool(self._read())

    def replace(self, before: TokenData, after: TokenData) -> bool:
        """Store new tokens of an account in the place of its old ones.

        Returns:
            Whether the old ones were still stored; if not, nothing has changed.

        Raises:
            StorageError: If they cannot be stored; what was stored stays.
        """
        with self._lock, self._exclusively():
            records = self._read()
            for index, one in enumerate(records):
                if grant_of(one) == grant_of(before) and same_tokens(one, before):
                    records[index] = after
                    self._write(records)
                    return True
        return False

    def prefer(self, tokens: TokenData) -> bool:
        """Make an account the default one, with the tokens that it has by now.

        Args:
            tokens: Tokens of the account, which need not be its newest.

        Returns:
            Whether any are stored; if not, nothing has changed.

        Raises:
            StorageError: If it cannot be stored; what was stored stays.
        """
        with self._lock, self._exclusively():
            records = self._read()
            chosen = [one for one in records if grant_of(one) == grant_of(tokens)]
            if chosen and records[0] is not chosen[0]:
                self._write([*chosen, *(one for one in records if grant_of(one) != grant_of(tokens))])
        return bool(chosen)

    def remove(self, tokens: TokenData) -> None:
        """Remove the tokens of one account.

        Raises:
            StorageError: If they cannot be removed.
        """
        with self._lock, self._exclusively():
            self._remove_one(tokens, only_same=False)

    def discard(self, tokens: TokenData) -> bool:
        """Remove the tokens of one account if these very ones are still stored.

        Returns:
            Whether they were; if not, nothing has changed.

        Raises:
            StorageError: If they cannot be removed.
        """
        with self._lock, self._exclusively():
            return self._remove_one(tokens, only_same=True)

    def _remove_one(self, tokens: TokenData, *, only_same: bool) -> bool:
        records = self._read()
        others = [
            one
            for one in records
            if grant_of(one) != grant_of(tokens) or (only_same and not same_tokens(one, tokens))
        ]
        if len(others) == len(records):
            return False
        self._write(others)
        return True

    @contextmanager
    def renewing(self, tokens: TokenData, timeout: float) -> Iterator[None]:
        """Take the account's turn to renew, among the users of this object.

        Raises:
            TimeoutError: If another thread keeps it for longer than ``timeout`` seconds.
        """
        with self._lock:
            turn = self._turns.setdefault(grant_of(tokens), threading.Lock())
        if not turn.acquire(timeout=max(timeout, 0.0)):
            raise TimeoutError
        try:
            yield
        finally:
            turn.release()
