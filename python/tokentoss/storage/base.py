"""What every token storage does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tokentoss.storage.token_data import TokenData


class TokenStorage(Protocol):
    """Keeps tokens between sign-ins. These four methods are enough to keep those of one account."""

    def save(self, tokens: TokenData) -> None:
        """Store the tokens of a sign-in, all at once or not at all; :meth:`load` returns them next."""

    def load(self) -> TokenData | None:
        """Return the tokens of the account that is used by default, or None if there are none."""

    def clear(self) -> None:
        """Remove what is stored."""

    def exists(self) -> bool:
        """Tell whether anything is stored."""


@runtime_checkable
class AccountStorage(TokenStorage, Protocol):
    """Keeps the tokens of several accounts, told apart by issuer, subject and client."""

    def load_all(self) -> list[TokenData]:
        """Return the tokens of every account, first those of the one that is used by default."""

    def replace(self, before: TokenData, after: TokenData) -> bool:
        """Store new tokens of an account if the old ones are still stored, and tell whether they were."""

    def remove(self, tokens: TokenData) -> None:
        """Remove the tokens of one account, whatever they are by now."""

    def discard(self, tokens: TokenData) -> bool:
        """Remove the tokens of one account if they are still the stored ones, and tell whether they were."""

    def renewing(self, tokens: TokenData, timeout: float) -> AbstractContextManager[None]:
        """Take the account's turn to renew, which one holder at a time has, dead ones not counted.

        Raises:
            TimeoutError: If another holder keeps it for longer than ``timeout`` seconds.
        """
