"""Tokens in memory: gone with the process, never on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.storage.records import RecordStorage

if TYPE_CHECKING:
    from tokentoss.storage.token_data import TokenData


class MemoryStorage(RecordStorage):
    """Keeps tokens as long as the process lives.

    Whoever can run code in the kernel can read them, a collaborator on a shared notebook included.
    """

    def __init__(self) -> None:
        super().__init__()
        self._records: list[TokenData] = []

    def _read(self) -> list[TokenData]:
        return list(self._records)

    def _write(self, records: list[TokenData]) -> None:
        self._records = records

    def clear(self) -> None:
        """Forget the tokens of all accounts."""
        self._records = []
