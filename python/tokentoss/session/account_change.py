"""Who is expected to sign in, so that it can be said when somebody else did."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentoss.storage.accounts import Account

logger = logging.getLogger(__name__)


class AccountChange:
    """Remembers who was signed in last, or who was asked for.

    Args:
        account: Who was asked for: an account, its key, or its e-mail address.

    Attributes:
        previous: How the expected user is shown, if the latest sign-in was somebody else's; else None.
    """

    def __init__(self, account: Account | str | None) -> None:
        self._who = account
        self.previous: str | None = None

    @property
    def name(self) -> str | None:
        """The account that was asked for, unless somebody has signed in since."""
        return self._who if isinstance(self._who, str) else None

    def expect(self, account: Account | None) -> None:
        """Expect this account, or nobody in particular, at the next sign-in."""
        self._who, self.previous = account, None

    def meet(self, account: Account) -> None:
        """Take note of who signed in, and say so if somebody else was expected."""
        who = self._who
        if isinstance(who, str):
            is_expected = account.goes_by(who)
            shown = who
        else:
            is_expected = who is None or who.key == account.key
            shown = who.display_name if who is not None else ""
        self._who, self.previous = account, None if is_expected else shown
        if not is_expected:
            logger.warning(
                "signed in as %s, a different user than last time (%s)", account.display_name, shown
            )
