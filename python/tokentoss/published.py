"""Whose credentials ``tokentoss.CREDENTIALS`` is: those of the latest sign-in of this process.

The manager is kept rather than its credentials, which cost the import of google-auth, until somebody
asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tokentoss

if TYPE_CHECKING:
    from tokentoss.token_keeper import TokenKeeper


def publish(manager: TokenKeeper) -> None:
    """Make ``tokentoss.CREDENTIALS`` those of a manager."""
    tokentoss._set_by_hand = None  # noqa: SLF001 - the package keeps what its own name stands for
    tokentoss._published = manager  # noqa: SLF001


def withdraw(manager: TokenKeeper) -> None:
    """Empty ``tokentoss.CREDENTIALS``, if they are those of this manager."""
    if tokentoss._published is manager:  # noqa: SLF001
        tokentoss._published = None  # noqa: SLF001
    if getattr(tokentoss._set_by_hand, "manager", None) is manager:  # noqa: SLF001
        tokentoss._set_by_hand = None  # noqa: SLF001


def published() -> Any:
    """Return the manager of the latest sign-in, or the credentials of any kind that were set by hand."""
    return tokentoss._set_by_hand or tokentoss._published  # noqa: SLF001
