"""A sign-in that is offered: its hand-off, and the listener that hears the answer."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any

from tokentoss.callback.claims import claims, issuer_of
from tokentoss.callback.lease import lease_first
from tokentoss.callback.redirect_uris import can_listen
from tokentoss.exceptions import HandOffError, SignInError
from tokentoss.handoff.kernel_sign_in import KernelSignIn
from tokentoss.handoff.sign_in import HandOff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.callback.listener import LoopbackListener
    from tokentoss.callback.redirect_uris import CallbackAddresses
    from tokentoss.exceptions import TokenTossError
    from tokentoss.handoff.ticket import Exchange
    from tokentoss.session.auth_manager import AuthManager


class Attempt:
    """Offers one sign-in at a time.

    Args:
        manager: Whose client signs in, and who takes the tokens.
        addresses: Where the provider may send the popup.
        exchange: Who redeems the code.
        login_hint: The account that the provider should suggest.
        send: Sends a custom message to the page.
        decided: Called with the hand-off, and the reason if the sign-in was refused.
        listens: Whether to hear the answer here; otherwise the user brings the address they end on.

    Attributes:
        hand_off: The hand-off that is awaited, if there is one.
        listener: The listener that hears the provider's answer, if one can.
        failure: Why the latest sign-in could not be offered.
    """

    def __init__(
        self,
        manager: AuthManager,
        addresses: CallbackAddresses,
        *,
        exchange: Exchange,
        login_hint: str | None,
        send: Callable[[dict[str, Any]], None],
        decided: Callable[[HandOff, TokenTossError | None], None],
        listens: bool = True,
    ) -> None:
        self._another_account = False
        self._chosen: str | None = None
        self.hand_off: HandOff | None = None
        self.listener: LoopbackListener | None = None
        self.failure: HandOffError | None = None
        self._manager = manager
        self._addresses = addresses
        self._exchange = exchange
        self._login_hint = login_hint
        self._send = send
        self._decided = decided
        self._listens = listens

    def obstacle(self, *, blocking: bool, without_page: bool) -> TokenTossError | None:
        """Return why waiting for a sign-in would never end; None if it may.

        Args:
            blocking: Whether a cell keeps the kernel busy meanwhile.
            without_page: Whether the page leaves the sign-in to the kernel, which it has to ask for.
        """
        if self.hand_off is None:
            return self.failure or SignInError(code="wait_impossible")
        # The page cannot ask for a link while a cell runs, either.
        if blocking and (self.listener is None or without_page):
            return SignInError(code="wait_impossible")
        return None

    def begin(self) -> dict[str, Any]:
        """Replace the hand-off by a fresh one, and return its ticket.

        Raises:
            HandOffError: If the address of the listener cannot be listened on, and nothing else serves;
                ``redirect_uri_shared`` if a callback page is in use for another provider.
        """
        try:
            return self._begun().ticket()
        except HandOffError as failure:
            self.end()
            self.failure = failure
            raise

    def request(self) -> KernelSignIn:
        """Replace the hand-off by a fresh one that this process runs by itself, and return its request.

        Raises:
            HandOffError: As :meth:`begin`.
        """
        hand_off = self._begun()
        request = KernelSignIn(self._manager, hand_off)
        hand_off.run_in_kernel(request)
        return request

    def ask_for(self, chosen: str | None, *, another_account: bool) -> None:
        """Say who is to sign in next.

        Args:
            chosen: A stored account that has to sign in anew.
            another_account: Whether it is to be another one than before: the provider asks which, unless one
                was chosen.
        """
        self._chosen, self._another_account = chosen, another_account

    def shown(self) -> None:
        """Nothing waits for that here."""

    def take(self, content: dict[str, Any]) -> bool:
        """Act on a message of the page that is about this alone: there is none."""
        del content
        return False

    def _begun(self) -> HandOff:
        """Make a fresh hand-off, on the same listener where possible."""
        listener, redirect_uri = self._lease()
        self.end()
        claimed = [redirect_uri] if listener is not None and redirect_uri is not None else []
        for page in self._addresses.pages:
            if not claims.take(page, issuer_of(self._manager.provider)):
                _give_back(listener, claimed, None)
                raise HandOffError(code="redirect_uri_shared", subject=page)
            claimed.append(page)
        hand_off = self._hand_off_at(redirect_uri, is_listening=listener is not None)
        if listener is not None:
            listener.add(hand_off)
        self.hand_off, self.listener = hand_off, listener
        # A widget that is collected gives its lease back, too.
        self._finalizer = weakref.finalize(self, _give_up, os.getpid(), listener, claimed, hand_off)
        self._finalizer.atexit = False
        return hand_off

    def _hand_off_at(self, redirect_uri: str | None, *, is_listening: bool) -> HandOff:
        return HandOff(
            self._manager,
            redirect_uri,
            callback_pages=self._addresses.pages,
            exchange=self._exchange,
            login_hint=self._hint(),
            another_account=self._another_account and self._chosen is None,
            send=self._send,
            decided=self._decided,
            is_listening=is_listening,
        )

    def _hint(self) -> str | None:
        if self._another_account:
            return self._chosen
        # More scopes are asked of the account that is signed in.
        return self._manager.user_email or self._login_hint

    def end(self) -> None:
        """Give up the hand-off, and give the lease back."""
        if self.hand_off is not None:
            self._finalizer()
            self.hand_off = self.listener = None

    def close(self) -> None:
        """Give up the hand-off for good."""
        self.end()

    def _lease(self) -> tuple[LoopbackListener | None, str | None]:
        """Return a listener and its redirect URI, as far as there can be one."""
        addresses = self._addresses
        if not addresses.loopbacks:
            return None, None
        if not self._listens or not can_listen():
            return None, addresses.unheard()
        try:
            return lease_first(addresses.loopbacks, issuer_of(self._manager.provider))
        except HandOffError:
            if addresses.pages:
                return None, None
            if any(address.port for address in addresses.loopbacks):
                raise
            return None, addresses.unheard()


def _give_up(owner: int, listener: LoopbackListener | None, claimed: list[str], hand_off: HandOff) -> None:
    if os.getpid() != owner:
        return  # a forked process has but a copy of it
    hand_off.cancel()
    _give_back(listener, claimed, hand_off)


def _give_back(listener: LoopbackListener | None, claimed: list[str], hand_off: HandOff | None) -> None:
    for uri in claimed:
        claims.give_back(uri)
    if listener is not None:
        listener.release(hand_off)
