"""A hand-off whose code only a broker can read: the page seals it, and the kernel carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import HandOffError
from tokentoss.handoff.envelope import read_deposit
from tokentoss.handoff.sealing import CODE, KEY_LENGTH, RecipientKey
from tokentoss.handoff.sign_in import HandOff
from tokentoss.util.base64url import from_b64url

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Deposit:
    """What a broker gave for one sign-in.

    Args:
        authorization: Names the sign-in at the broker.
        public_key: The broker's key, to which the page seals the code; base64url.
        nonce: From which the nonce of a request is made; base64url.
        forward: Brings the broker what the page sealed to it, and takes the account.
    """

    authorization: str
    public_key: str
    nonce: str
    forward: Callable[[str], None] = field(repr=False)

    def __post_init__(self) -> None:
        for text in (self.public_key, self.nonce):
            try:
                is_good = len(from_b64url(text)) == KEY_LENGTH
            except ValueError:
                is_good = False
            if not is_good:
                raise HandOffError(code="sealing_failed")


class DepositHandOff(HandOff):
    """Takes the envelope of a page that sealed the code to a broker; the client's secret is the broker's.

    Args:
        *arguments: As for :class:`HandOff`.
        deposit: What the broker gave.
        **named: As for :class:`HandOff`.
    """

    def __init__(self, *arguments: Any, deposit: Deposit, **named: Any) -> None:
        super().__init__(*arguments, **(named | {"exchange": "kernel"}))
        # By this name the broker knows what the page seals to it.
        self.id = deposit.authorization
        self._deposit = deposit
        self._nonce = deposit.nonce

    def ticket(self) -> dict[str, Any]:
        """Return what the page needs, with the broker's key."""
        return {**super().ticket(), "deposit_key": self._deposit.public_key}

    def prepare(self) -> None:
        """No ID token comes here whose signature would have to be checked."""

    def _open(self, key: RecipientKey, sealed: str, *, by_listener: bool) -> tuple[str, bytes]:
        del by_listener
        return CODE, key.open(sealed, self._context(CODE))

    def _take(self, purpose: str, plaintext: bytes) -> None:
        del purpose
        self._deposit.forward(read_deposit(plaintext, self.id))
