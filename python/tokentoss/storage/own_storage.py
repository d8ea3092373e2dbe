"""Storages that users write: each as one of several accounts, whose errors are this package's."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import weakref
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from tokentoss.exceptions import StorageError, TokenTossError
from tokentoss.storage.base import AccountStorage
from tokentoss.storage.records import RecordStorage
from tokentoss.storage.token_data import grant_of
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokentoss.storage.base import TokenStorage
    from tokentoss.storage.token_data import TokenData

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

TURN_TIMEOUT = 30.0
"""Seconds to wait for somebody else who renews the tokens of an account."""


class OneAccountStorage(RecordStorage):
    """Lets a storage of the user's own, with the four methods of TokenStorage, keep one account.

    Args:
        storage: The storage.
    """

    def __init__(self, storage: TokenStorage) -> None:
        super().__init__()
        self._storage = storage

    def _read(self) -> list[TokenData]:
        tokens = _called(self._storage, self._storage.load)
        return [] if tokens is None else [tokens]

    def _write(self, records: list[TokenData]) -> None:
        if records:
            _called(self._storage, lambda: self._storage.save(records[0]))
        else:
            self.clear()

    def clear(self) -> None:
        """Remove the tokens."""
        _called(self._storage, self._storage.clear)


class OwnAccountStorage:
    """A storage of the user's own that keeps several accounts.

    Args:
        storage: The storage.
    """

    def __init__(self, storage: AccountStorage) -> None:
        self._storage = storage

    def save(self, tokens: TokenData) -> None:
        """Store the tokens of a sign-in."""
        _called(self._storage, lambda: self._storage.save(tokens))

    def load(self) -> TokenData | None:
        """Return the tokens of the default account."""
        return _called(self._storage, self._storage.load)

    def clear(self) -> None:
        """Remove what is stored."""
        _called(self._storage, self._storage.clear)

    def exists(self) -> bool:
        """Tell whether anything is stored."""
        return _called(self._storage, self._storage.exists)

    def load_all(self) -> list[TokenData]:
        """Return the tokens of every account."""
        return _called(self._storage, lambda: list(self._storage.load_all()))

    def replace(self, before: TokenData, after: TokenData) -> bool:
        """Store new tokens of an account if the old ones are still stored."""
        return _called(self._storage, lambda: self._storage.replace(before, after))

    def prefer(self, tokens: TokenData) -> bool:
        """Make an account the default one, and tell whether it is stored.

        The storage may have no method for that. Then the account's turn to renew keeps those of others away
        who have newer tokens for it.

        Raises:
            StorageError: ``storage_unwritable`` if another holder keeps the turn for too long.
        """
        try:
            with self.renewing(tokens, TURN_TIMEOUT):
                stored = self.load_all()
                chosen = next((one for one in stored if grant_of(one) == grant_of(tokens)), None)
                if chosen is not None:
                    self.save(chosen)
                return chosen is not None
        except TimeoutError:
            subject = f"{type(self._storage).__name__} (another process renews the tokens)"
        raise StorageError(code="storage_unwritable", subject=subject)

    def remove(self, tokens: TokenData) -> None:
        """Remove the tokens of one account."""
        _called(self._storage, lambda: self._storage.remove(tokens))

    def discard(self, tokens: TokenData) -> bool:
        """Remove the tokens of one account if they are still the stored ones."""
        return _called(self._storage, lambda: self._storage.discard(tokens))

    @contextmanager
    def renewing(self, tokens: TokenData, timeout: float) -> Iterator[None]:
        """Take the account's turn to renew."""
        with ExitStack() as stack:
            turn = self._storage.renewing(tokens, timeout)
            _called(self._storage, lambda: stack.enter_context(turn), TimeoutError)
            yield


# One for each storage, because it holds the locks of all who use that storage.
_adapters: weakref.WeakValueDictionary[int, OneAccountStorage] = weakref.WeakValueDictionary()
_adapters_lock = threading.Lock()
anew_in_child(sys.modules[__name__], _adapters_lock=threading.Lock)


def accounts_in(storage: TokenStorage) -> RecordStorage | OwnAccountStorage:
    """Return a storage as one of several accounts that raises nothing but errors of this package."""
    is_ours = type(storage).__module__.partition(".")[0] == __package__.partition(".")[0]
    if is_ours and isinstance(storage, (RecordStorage, OwnAccountStorage)):
        return storage
    if isinstance(storage, AccountStorage):
        return OwnAccountStorage(storage)
    with _adapters_lock:
        # By identity, because a storage of the user's own may have no hash. An adapter keeps its storage, so
        # the number is nobody else's while there is one.
        adapter = _adapters.get(id(storage))
        if adapter is None:
            adapter = _adapters[id(storage)] = OneAccountStorage(storage)
        return adapter


def _called(
    storage: TokenStorage, method: Callable[[], Result], allowed: type[Exception] = TokenTossError
) -> Result:
    """Call a method of the user's own.

    Raises:
        StorageError: ``storage_failed`` if it raises anything else than an error of this package, or the
            allowed one. It has no cause, whose frames would show tokens.
    """
    try:
        return method()
    except (TokenTossError, allowed):
        raise
    except Exception as reason:  # noqa: BLE001 - it becomes an error of this package
        name = type(reason).__name__
        # Neither its text nor its frames, which may hold tokens.
        place = traceback.extract_tb(reason.__traceback__)[-1]
        logger.warning(
            "%s raised %s in %s, line %s", type(storage).__name__, name, place.filename, place.lineno
        )
    raise StorageError(code="storage_failed", subject=f"{type(storage).__name__} raised {name}")
