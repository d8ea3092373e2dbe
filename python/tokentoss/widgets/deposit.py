"""The way in which the notebook page runs the sign-in, and seals the code to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tokentoss.broker.problem import error_of
from tokentoss.callback.attempt import Attempt
from tokentoss.callback.redirect_uris import CallbackAddresses
from tokentoss.exceptions import SignInError, TokenTossError
from tokentoss.handoff.deposit import Deposit, DepositHandOff
from tokentoss.widgets.deposit_client import DepositClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokentoss.broker.answers import Authorization
    from tokentoss.broker.client import BrokerClient
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.session.auth_manager import AuthManager
    from tokentoss.session.broker_manager import BrokerManager


class Deposits:
    """Offers sign-ins whose code only the broker can read.

    Args:
        manager: Who uses the account.
        redirect_ports: Fixed loopback ports.
        redirect_uri: Callback pages; by default those that the broker names.
        login_hint: The account that the provider should suggest.
        send: Sends a custom message to the page.
        decided: Called with the hand-off, and the reason if the sign-in was refused.
    """

    def __init__(
        self,
        manager: BrokerManager,
        redirect_ports: Sequence[int] | None,
        redirect_uri: str | Sequence[str] | None,
        *,
        login_hint: str | None,
        send: Callable[[dict[str, Any]], None],
        decided: Callable[[HandOff, TokenTossError | None], None],
    ) -> None:
        self._manager = manager
        self._redirect_ports = redirect_ports
        self._redirect_uri = redirect_uri
        self._login_hint = login_hint
        self._send = send
        self._decided = decided
        self._attempt: _DepositAttempt | None = None

    @property
    def hand_off(self) -> HandOff | None:
        """The hand-off that is awaited."""
        return None if self._attempt is None else self._attempt.hand_off

    def obstacle(self, *, blocking: bool, without_page: bool) -> TokenTossError | None:
        """Return why waiting for a sign-in would never end, as far as one is offered this way."""
        if self._attempt is None:
            return None
        return self._attempt.obstacle(blocking=blocking, without_page=without_page)

    def begin(
        self, offer: Authorization, client: BrokerClient, chosen: str | None, *, another_account: bool
    ) -> dict[str, Any]:
        """Replace the hand-off by one for a sign-in at the broker, and return its ticket.

        Args:
            offer: The sign-in.
            client: Asks the broker.
            chosen: As for :meth:`Attempt.ask_for`.
            another_account: As for :meth:`Attempt.ask_for`.

        Raises:
            TokenTossError: If the broker's answer cannot be used, or nobody could hear the page.
        """
        made = DepositClient.of(offer.deposit, self._manager)
        manager = self._manager

        def forward(sealed: str) -> None:
            progress = client.deposit(offer.id, sealed)
            if progress.account is None:
                raise error_of(progress.problem or {}, manager.broker.url)
            manager.connected(progress.account)

        deposit = Deposit(offer.id, made.public_key, made.nonce, forward)
        addresses = CallbackAddresses.of(
            made.client_config,
            made.provider.redirect_path,
            redirect_ports=self._redirect_ports,
            redirect_uri=self._redirect_uri or made.callback_pages or None,
        )
        self.end()
        self._attempt = _DepositAttempt(
            # As far as a hand-off asks, it is one.
            cast("AuthManager", made),
            addresses,
            exchange="kernel",
            login_hint=self._login_hint,
            send=self._send,
            decided=self._decided,
        )
        self._attempt.deposit = deposit
        self._attempt.ask_for(chosen, another_account=another_account)
        return self._attempt.begin()

    def end(self) -> None:
        """Give the hand-off up."""
        if self._attempt is not None:
            self._attempt.end()
            self._attempt = None


class _DepositAttempt(Attempt):
    """Offers one sign-in of this way."""

    deposit: Deposit | None = None

    def _hand_off_at(self, redirect_uri: str | None, *, is_listening: bool) -> HandOff:
        if self.deposit is None:
            raise SignInError(code="way_unavailable")
        return DepositHandOff(
            self._manager,
            redirect_uri,
            callback_pages=self._addresses.pages,
            login_hint=self._hint(),
            another_account=self._another_account and self._chosen is None,
            send=self._send,
            decided=self._decided,
            is_listening=is_listening,
            deposit=self.deposit,
        )
