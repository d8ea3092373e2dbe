"""What every token storage does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tokentoss.tokens import TokenData


class TokenStorage(Protocol):
    """Keeps the tokens of one sign-in."""

    def save(self, tokens: TokenData) -> None:
        """Replace what is stored, all at once or not at all."""

    def load(self) -> TokenData | None:
        """Return what is stored, or None if there is nothing."""

    def clear(self) -> None:
        """Remove what is stored."""

    def exists(self) -> bool:
        """Tell whether anything is stored."""
