"""The stored accounts, as commands list and choose them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.error_codes import printable
from tokentoss.exceptions import NoCredentialsError
from tokentoss.storage.accounts import choose, matching, names_of

if TYPE_CHECKING:
    from tokentoss.storage.token_data import TokenData


def chosen(stored: list[TokenData], account: str) -> TokenData:
    """Return the tokens of the account that goes by a name.

    Raises:
        NoCredentialsError: ``account_unknown``, or ``account_ambiguous``, which lists the candidates.
    """
    candidates = matching(stored, account)
    if len(candidates) > 1:
        raise ambiguous(stored, candidates)
    return choose(stored, account)


def ambiguous(stored: list[TokenData], candidates: list[TokenData]) -> NoCredentialsError:
    """Return the error that asks which of several accounts is meant."""
    names = dict(zip(map(id, stored), names_of(stored), strict=True))
    shown = ", ".join(printable(names[id(tokens)]) for tokens in candidates)
    return NoCredentialsError(code="account_ambiguous", subject=shown)
