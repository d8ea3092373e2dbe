"""Where tokens go unless something else is chosen."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

from tokentoss.exceptions import StorageError, TokensInMemoryWarning
from tokentoss.storage.file import FileStorage
from tokentoss.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tokentoss.storage.records import RecordStorage


def default_storage() -> RecordStorage:
    """Return the token file, or the memory of this process for a user without a home folder.

    Warns:
        TokensInMemoryWarning: If there is no home folder; once in a process.
    """
    try:
        return FileStorage()
    except StorageError as failure:
        if failure.code != "storage_home_missing":
            raise
        return _memory(str(failure))


@cache
def _memory(why: str) -> MemoryStorage:
    warnings.warn(
        f"The tokens are kept in memory until this process ends. {why}", TokensInMemoryWarning, stacklevel=4
    )
    return MemoryStorage()
