"""A token with whose it is."""

from __future__ import annotations

from tokentoss.util.secret import Secret


class AccountToken(Secret):
    """A token, and the key of the account that it is of."""

    owner: str | None

    @classmethod
    def of(cls, token: str, owner: str | None) -> AccountToken:
        """Return a token with its account's key."""
        made = cls(token)
        made.owner = owner
        return made
