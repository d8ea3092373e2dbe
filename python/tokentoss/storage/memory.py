"""Tokens in memory: gone with the process, never on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentoss.tokens import TokenData


class MemoryStorage:
    """Keeps tokens as long as the process lives."""

    def __init__(self) -> None:
        self._tokens: TokenData | None = None

    def save(self, tokens: TokenData) -> None:
        """Keep these tokens instead of the previous ones."""
        self._tokens = tokens

    def load(self) -> TokenData | None:
        """Return the tokens, or None if there are none."""
        return self._tokens

    def clear(self) -> None:
        """Forget the tokens."""
        self._tokens = None

    def exists(self) -> bool:
        """Tell whether there are tokens."""
        return self._tokens is not None
