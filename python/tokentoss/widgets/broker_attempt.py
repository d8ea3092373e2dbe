"""The sign-in that a widget offers at a broker: begun when it is shown, and watched to its end."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tokentoss.broker.client import LONGEST_WAIT, BrokerClient
from tokentoss.broker.names import kernel_name
from tokentoss.broker.problem import error_of
from tokentoss.exceptions import SignInError, TokenTossError
from tokentoss.util.backoff import spread
from tokentoss.widgets.background import in_thread, in_thread_or_here
from tokentoss.widgets.broker_page import PageOrigin
from tokentoss.widgets.sign_in_traits import CLICK, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.broker.answers import Authorization, Progress
    from tokentoss.broker.news import Following
    from tokentoss.handoff.sign_in import HandOff
    from tokentoss.session.broker_manager import BrokerManager
    from tokentoss.widgets.deposit import Deposits
    from tokentoss.widgets.gate import Gate

RENEW_BEFORE = 90.0
"""Seconds before its end at which a sign-in that nobody began is replaced by another one."""

MOST_OFFERS = 12
"""Sign-ins that are offered one after the other before the page has to ask for the next one."""

PAUSE = 2.0
"""Seconds between two questions while the broker does not answer."""


class BrokerAttempt:
    """Offers one sign-in at a time, as :class:`tokentoss.callback.attempt.Attempt` does.

    Everything that the click needs is in a trait before it, and what comes after it reaches the kernel
    through the broker, in a thread: so a busy kernel stops nothing.

    Args:
        manager: Who uses the account.
        login_hint: The account that the provider should suggest.
        deposits: Makes the hand-off where the page seals the code to the broker instead.
        send: Sends a custom message to the page.
        show: Sets traits of the widget.
        decided: Called with the sign-in's identifier, and the reason if it failed.
        lock: The widget's.

    Attributes:
        hand_off: The hand-off that is awaited, where the page seals the code to the broker.
        failure: Why there is nothing to click.
    """

    def __init__(
        self,
        manager: BrokerManager,
        *,
        login_hint: str | None,
        deposits: Deposits,
        send: Callable[[dict[str, Any]], None],
        show: Callable[[dict[str, Any]], None],
        decided: Callable[[str, TokenTossError | None], None],
        lock: Gate,
    ) -> None:
        self._another_account = False
        self._chosen: str | None = None
        self.failure: TokenTossError | None = None
        self._manager = manager
        self._client = BrokerClient(manager.broker)
        self._login_hint = login_hint
        self._deposits = deposits
        self._send = send
        self._show = show
        self._decided = decided
        self._lock = lock
        self._owner = os.getpid()
        self._page = PageOrigin()
        # Grows whenever what was offered before counts no more.
        self._round = 0
        self._is_shown = False
        self._left = MOST_OFFERS
        # Which beginning a thread runs, and which one's offer the page has.
        self._begun_last = self._published = 0
        self._offered: dict[str, Authorization] = {}
        # That of the offer that the page opened last, which the user is busy with.
        self._opened = ""
        self._following: Following | None = None

    @property
    def hand_off(self) -> HandOff | None:
        """The hand-off that is awaited."""
        return self._deposits.hand_off

    def obstacle(self, *, blocking: bool, without_page: bool) -> TokenTossError | None:
        """Return why waiting for a sign-in would never end; None if it may."""
        self.shown()
        if self.failure is not None:
            # What failed then may succeed now; whoever waits hears of it.
            self._again()
        return self._deposits.obstacle(blocking=blocking, without_page=without_page)

    def ask_for(self, chosen: str | None, *, another_account: bool) -> None:
        """Say who is to sign in next; see :meth:`tokentoss.callback.attempt.Attempt.ask_for`."""
        self._chosen, self._another_account = chosen, another_account

    def begin(self) -> dict[str, Any]:
        """Offer a sign-in in place of the one before, once the widget is shown; return its ticket."""
        with self._lock:
            self.end()
            if os.getpid() == self._owner:
                self._again()
        return {}

    def shown(self) -> None:
        """Begin: the widget is on a page, or somebody waits for it."""
        with self._lock:
            if not self._is_shown and os.getpid() == self._owner:
                self._is_shown = True
                self._following = self._manager.follow_news()
                if not self._manager.is_authenticated:
                    self._start(self._round)

    def _again(self) -> None:
        self.failure, self._left = None, MOST_OFFERS
        if self._is_shown:
            self._start(self._round)

    def end(self) -> None:
        """Give up what is offered."""
        if os.getpid() != self._owner:
            return  # a forked process has but a copy of it
        with self._lock:
            self._round += 1
            offered, self._offered = self._offered, {}
            if self.hand_off is not None and self.hand_off.done.is_set():
                offered = {}  # it has ended
            self._deposits.end()
        if offered:
            in_thread_or_here(lambda: self._give_up(offered), "tokentoss-broker-end")

    def close(self) -> None:
        """Give up what is offered, and follow no more what happens at the broker."""
        self.end()
        if self._following is not None:
            self._following.close()

    def take(self, content: dict[str, Any]) -> bool:
        """Act on a message of the page, if it is about this."""
        if content.get("type") != "broker":
            return False
        kind, identifier, text = (content.get(name) for name in ("kind", "id", "text"))
        if kind == "page" and isinstance(text, str):
            with self._lock:
                is_news = self._page.tell(text)
                begins = not self._is_shown
                self.shown()
                # What was begun with another origin goes on: somebody may have clicked already.
                if is_news and not begins and not self._manager.is_authenticated and self.hand_off is None:
                    if self.failure is not None:
                        self._show({"status": CLICK, "error": "", "error_code": ""})
                    self._again()
        elif not isinstance(identifier, str) or identifier not in self._offered:
            return True
        elif kind == "opened":
            self._left, self._opened = MOST_OFFERS, identifier
            self._show({"status": WAITING, "error": "", "error_code": ""})
        elif kind == "give_up":
            with self._lock:
                self._show({"status": CLICK, "error": "", "error_code": "", "broker": {}})
                self.begin()
        elif kind == "confirm" and isinstance(text, str):
            in_thread_or_here(lambda: self._confirm(identifier, text), "tokentoss-confirm")
        return True

    def _start(self, number: int) -> None:
        self._left -= 1
        self._begun_last += 1
        turn = self._begun_last
        if self._left >= 0 and not in_thread(lambda: self._run(number, turn), "tokentoss-broker"):
            # What nobody watches is found when the account is used.
            self._run(number, turn, watches=False)

    def _run(self, number: int, turn: int, *, watches: bool = True) -> None:
        """Find the account connected already, or offer a sign-in and watch it."""
        try:
            # Whoever is signed in is asked for more.
            if not (self._another_account or self._manager.is_authenticated) and self._manager.look():
                return
            offer = self._begun()
            with self._lock:
                # The broker may answer late: what was begun after this knew more, as where the page is.
                if number != self._round or turn < self._published:
                    return
                self._published = turn
                self._offered[offer.id] = offer
                self._publish(offer)
        except TokenTossError as failure:
            with self._lock:
                # What was begun after this decides.
                if turn == self._begun_last:
                    self._fail(number, "", failure)
        else:
            if watches:
                self._watch(number, offer)

    def _begun(self) -> Authorization:
        hint = self._manager.user_email or self._login_hint
        if self._another_account:
            hint = self._chosen

        def begin(page_origin: str | None) -> Authorization:
            return self._client.begin(
                self._manager.provider_name,
                scopes=self._manager.asked_scopes,
                login_hint=hint,
                page_origin=page_origin,
                kernel=kernel_name(),
            )

        origin = self._page.known()
        try:
            return begin(origin)
        except TokenTossError as refusal:
            told = self._page.told
            if refusal.code != "origin_forbidden" or origin in (None, told):
                raise
        # That was a guess. Until the page says its origin, the user copies a code.
        return begin(told)

    def _publish(self, offer: Authorization) -> None:
        """Give the page what its click needs. None of it lets anybody act."""
        if offer.way == "deposit":
            ticket = self._deposits.begin(
                offer, self._client, self._chosen, another_account=self._another_account
            )
            self._show({"ticket": ticket, "broker": {}})
        else:
            shown = _shown(offer)
            if self._another_account and self._chosen is None:
                # The broker's page then has the provider ask which account to use, if that can be asked.
                shown["url"] = f"{offer.url}?account=another"
            self._show({"broker": shown})

    def _watch(self, number: int, offer: Authorization) -> None:
        ends = time.monotonic() + offer.life
        if offer.way == "deposit":
            # Who brings the code to the broker hears from it how that ended.
            self._watch_deposit(number, offer)
            return
        known = "pending"
        renew_at, is_renewed = ends - min(RENEW_BEFORE, offer.life / 2), False
        while number == self._round and offer.id in self._offered:
            now = time.monotonic()
            if now >= renew_at and not is_renewed:
                # This one is watched to its end: somebody may be on the provider's pages.
                is_renewed = True
                if self._latest() is offer:
                    self._start(number)
            wait = max(1, min(LONGEST_WAIT, int((ends if is_renewed else renew_at) - now)))
            try:
                progress = self._client.progress(offer.id, wait=wait, known=known)
                known = progress.status
            except TokenTossError as failure:
                if failure.action == "retry" and now < ends:
                    time.sleep(spread(PAUSE))
                    continue
                self._fail(number, offer.id, failure)
                return
            if self._is_over(number, offer, progress):
                return

    def _watch_deposit(self, number: int, offer: Authorization) -> None:
        """Replace a sign-in before its end; one that a page has begun is watched to its end."""
        hand_off = self._deposits.hand_off
        if hand_off is None or hand_off.done.wait(offer.life - min(RENEW_BEFORE, offer.life / 2)):
            return
        is_awaited = not hand_off.registrations.is_empty
        if is_awaited and hand_off.done.wait(min(RENEW_BEFORE, offer.life / 2)):
            return
        with self._lock:
            if number != self._round or self._deposits.hand_off is not hand_off:
                return
            self._offered.pop(offer.id, None)
            if is_awaited:
                self._fail(number, offer.id, SignInError(code="authorization_expired"))
            else:
                self._start(number)

    def _is_over(self, number: int, offer: Authorization, progress: Progress) -> bool:
        """Act on how far a sign-in is, and tell whether that was its end."""
        if progress.status == "done" and progress.account is not None:
            with self._lock:
                if number != self._round:
                    return True
                self._offered.pop(offer.id, None)
            self._manager.connected(progress.account)
            self._decided(offer.id, None)
            return True
        if progress.status == "failed":
            where = self._manager.broker.url
            self._fail(number, offer.id, error_of(progress.problem or {}, where))
            return True
        if progress.status == "expired":
            with self._lock:
                was_latest = self._latest() is offer
                self._offered.pop(offer.id, None)
                # The user waits for it, though another one can be clicked by now.
                is_awaited = number == self._round and self._opened == offer.id
            if was_latest or is_awaited:
                self._fail(number, offer.id, SignInError(code="authorization_expired"))
            return True
        if progress.status == "confirm":
            with self._lock:
                if number == self._round and offer.way == "page":
                    self._show({"broker": _shown(offer, confirm=True)})
        return False

    def _latest(self) -> Authorization | None:
        return next(reversed(self._offered.values()), None)

    def _fail(self, number: int, identifier: str, failure: TokenTossError) -> None:
        with self._lock:
            if number != self._round:
                return
            self._round += 1
            self._offered.clear()
            self._manager.last_error = failure
            if identifier:
                # So that the next click opens a window at once.
                self._start(self._round)
            else:
                self.failure = failure
            self._decided(identifier, failure)

    def _confirm(self, identifier: str, text: str) -> None:
        """Pass on what the user copied from the broker's page, and say what is wrong with it."""
        offer = self._offered.get(identifier)
        confirmation = "".join(character for character in text if character.isalnum()).upper()
        if offer is None:
            return
        problem: TokenTossError | None = SignInError(code="confirmation_wrong")
        if confirmation.isascii() and 0 < len(confirmation) <= len(offer.id) + 64:
            try:
                self._client.confirm(identifier, confirmation)
                problem = None
            except TokenTossError as failure:
                problem = failure
        if problem is not None:
            told = {"type": "link", "ticket": identifier, "link": offer.url, "paste": True}
            self._send({**told, "problem": str(problem)})

    def _give_up(self, offered: dict[str, Authorization]) -> None:
        for identifier in offered:
            with suppress(TokenTossError):
                self._client.give_up(identifier)


def _shown(offer: Authorization, *, confirm: bool = False) -> dict[str, Any]:
    return {
        "id": offer.id,
        "url": offer.url,
        "origin": offer.origin,
        "confirm": confirm,
    }
