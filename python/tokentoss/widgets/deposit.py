"""The way in which the notebook page runs the sign-in, and seals the code to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokentoss.exceptions import SignInError, TokenTossError

if TYPE_CHECKING:
    from tokentoss.broker.answers import Authorization
    from tokentoss.broker.client import BrokerClient
    from tokentoss.handoff.sign_in import HandOff


class Deposits:
    """Makes hand-offs whose code only the broker can read.

    Attributes:
        hand_off: The hand-off that is awaited.
    """

    def __init__(self) -> None:
        self.hand_off: HandOff | None = None

    def obstacle(self, *, blocking: bool, without_page: bool) -> TokenTossError | None:
        """Return why waiting would never end."""
        del blocking, without_page
        return None

    def begin(self, offer: Authorization, client: BrokerClient) -> HandOff:
        """Begin a hand-off."""
        del offer, client
        raise SignInError(code="way_unavailable")

    def end(self) -> None:
        """Give the hand-off up."""
