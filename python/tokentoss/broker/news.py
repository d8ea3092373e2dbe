"""News of a broker: what becomes of its user's accounts elsewhere is heard when it happens.

One thread for each broker and user listens, only while somebody follows. It believes nothing that an event
says: an event makes it ask for the accounts, as does each new connection, because there is no replay.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import weakref
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tokentoss.broker.client import BrokerClient
from tokentoss.broker.problem import refusal_of
from tokentoss.exceptions import TokenTossError
from tokentoss.util.backoff import spread
from tokentoss.util.event_stream import EventStream, NoStreamError
from tokentoss.util.failures import TransportError
from tokentoss.util.forks import anew_in_child
from tokentoss.util.pyodide import in_browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.broker.address import Broker
    from tokentoss.broker.answers import ConnectedAccount

    Heard = Callable[[list[ConnectedAccount]], None]

logger = logging.getLogger(__name__)

NEWS = frozenset({"connected", "disconnected", "sign_in_needed"})
"""The events that somebody may have to be shown; a renewal is none."""

PAUSES = (1.0, 60.0)
"""Shortest and longest wait in seconds before the next connection."""

SELDOM = 60.0
"""Seconds between two connections while the broker refuses them, as it does one listener too many."""

STEADY = 20.0
"""Seconds after which a connection counts as one that stood."""

ASK_GAP = 0.25
"""Seconds between two questions for the accounts, however many events come."""

_STEPS = 10


class Following:
    """Calls a bound method, held weakly, with the accounts at every change, in the listener's thread.

    Args:
        broker: The broker.
        method: The method.
    """

    def __init__(self, broker: Broker, method: Heard) -> None:
        self._broker = broker
        # Who is collected without a farewell follows no longer.
        me = weakref.ref(self)

        def collected(_: object) -> None:
            following = me()
            if following is not None:
                following.close()

        self._method = weakref.WeakMethod(method, collected)
        self._owner = os.getpid()

    def tell(self, accounts: list[ConnectedAccount]) -> None:
        """Call the method, if its object is alive."""
        method = self._method()
        if method is not None:
            method(accounts)

    def close(self) -> None:
        """Follow no longer. The thread ends with its last follower."""
        if os.getpid() != self._owner:
            return  # a forked process has but a copy of it
        with _lock:
            listener = _listeners.get(self._broker)
            if listener is not None and listener.leave(self):
                del _listeners[self._broker]


def follow(broker: Broker, method: Heard) -> Following:
    """Call a bound method with the accounts of the broker's user, at every change and new connection."""
    following = Following(broker, method)
    if in_browser():
        return following  # no threads
    with _lock:
        listener = _listeners.get(broker)
        if listener is None:
            listener = _Listener(broker)
            if not listener.start():
                return following
            _listeners[broker] = listener
        listener.join(following)
    return following


class _Listener:
    """Listens in a thread until its last follower leaves."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client = BrokerClient(broker)
        self._followers: list[Following] = []
        self._ended = threading.Event()
        self._stream: EventStream | None = None
        self._is_connected = False
        self._asked_at = 0.0
        self._failures = 0
        self._shown: set[str] = set()

    def start(self) -> bool:
        """Start the thread; tell whether there are threads."""
        try:
            threading.Thread(target=self._run, name="tokentoss-broker-news", daemon=True).start()
        except RuntimeError:
            return False
        return True

    def join(self, following: Following) -> None:
        """Let somebody follow; who comes while the connection stands is told at once how things are."""
        self._followers = [*self._followers, following]
        if self._is_connected and not self._ended.is_set():
            # Without a thread to be had, the next news tells.
            with suppress(RuntimeError):
                threading.Thread(
                    target=self._welcome, args=(following,), name="tokentoss-broker-welcome", daemon=True
                ).start()

    def _welcome(self, following: Following) -> None:
        try:
            accounts = self._client.accounts(patience=0.0)
            if following in self._followers:
                following.tell(accounts)
        except TokenTossError as failure:
            self._log("the broker %s was not asked after news: %s", failure)
        except Exception as failure:  # noqa: BLE001 - what an observer raises stops nobody
            self._log_unexpected(failure)

    def leave(self, following: Following) -> bool:
        """Let somebody go; end, and tell so, if that was the last one."""
        self._followers = [one for one in self._followers if one is not following]
        if self._followers:
            return False
        self._ended.set()
        if self._stream is not None:
            self._stream.close()
        return True

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            failure = self._listened()
            if time.monotonic() - began >= STEADY:
                self._failures = 0
            self._ended.wait(self._pause(failure))

    def _listened(self) -> TokenTossError | None:
        """Listen until the connection ends, and return what the broker says against it."""
        try:
            self._listen()
        except NoStreamError as none:
            refusal = refusal_of(none.answer, self._broker.url)
            self._log("no news of the broker %s: %s", refusal)
            if refusal.code == "rate_limited":
                # Without a place among its listeners, whoever asks now and then hears of it late.
                self._ask_quietly()
            return refusal
        except TransportError as failure:
            logger.debug("the news of the broker %s broke off: %s", self._broker.url, failure.reason)
        except TokenTossError as failure:
            self._log("the broker %s was not asked after news: %s", failure)
            return failure
        except Exception as failure:  # noqa: BLE001 - what an observer raises stops nobody
            self._log_unexpected(failure)
        return None

    def _listen(self) -> None:
        stream = EventStream(
            f"{self._broker.url}/v1/events", bearer=self._broker.key(), more_headers=self._broker.headers()
        )
        with _lock:
            if self._ended.is_set():
                return
            self._stream = stream
        is_new = True
        try:
            with closing(stream.batches()) as batches:
                for batch in batches:
                    if is_new:
                        with _lock:
                            # Who joins from now on is not among those who are told below.
                            self._is_connected = True
                    if is_new or any(event.name in NEWS for event in batch):
                        self._ask()
                    is_new = False
                    self._shown.clear()
        finally:
            self._is_connected = False

    def _ask(self) -> None:
        """Ask for the accounts and tell the followers."""
        self._ended.wait(max(0.0, self._asked_at + ASK_GAP - time.monotonic()))
        if self._ended.is_set():
            return
        self._asked_at = time.monotonic()
        accounts = self._client.accounts(patience=0.0)
        failure: TokenTossError | None = None
        for one in self._followers:
            try:
                if not self._ended.is_set():
                    one.tell(accounts)
            except TokenTossError as failed:
                # The others are told all the same; the next connection tells this one again.
                failure = failed
        if failure is not None:
            raise failure

    def _ask_quietly(self) -> None:
        try:
            self._ask()
        except TokenTossError as failure:
            self._log("the broker %s was not asked after news: %s", failure)

    def _log(self, text: str, failure: TokenTossError) -> None:
        """Note a failure for those who look for it: whoever needs the broker hears of it anyway."""
        logger.debug(text, self._broker.url, failure.code)

    def _log_unexpected(self, failure: Exception) -> None:
        """Show each kind of failure that nobody has thought of once, until a connection stands."""
        kind = type(failure).__name__
        level = logging.DEBUG if kind in self._shown else logging.ERROR
        self._shown.add(kind)
        logger.log(level, "following the broker failed", exc_info=failure)

    def _pause(self, failure: TokenTossError | None) -> float:
        """Return the seconds until the next connection."""
        shortest, longest = PAUSES
        pause = min(longest, shortest * 2**self._failures)
        self._failures = min(self._failures + 1, _STEPS)
        if failure is None:
            return spread(pause)
        if failure.action != "retry" or failure.code == "rate_limited":
            pause = max(pause, SELDOM)
        return max(spread(pause), failure.retry_after or 0.0)


# Re-entrant, because the garbage collector may close a widget anywhere.
_lock = threading.RLock()
_listeners: dict[Broker, _Listener] = {}
anew_in_child(sys.modules[__name__], _lock=threading.RLock, _listeners=dict)
