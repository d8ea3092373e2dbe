"""Cells that wait for a sign-in."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tokentoss.exceptions import SignInError
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokentoss.storage.accounts import Account

    Outcome = concurrent.futures.Future[Account]

PATIENCE = 300.0
"""Seconds that a cell waits unless told otherwise."""

_SLICE = 0.5  # seconds; on Windows an interrupt is noticed only between two waits


class Waiters:
    """Those who wait for the outcome of the next sign-in, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: set[Outcome] = set()
        anew_in_child(self, _lock=threading.Lock, _outcomes=set)

    def add(self) -> Outcome:
        """Return a future of the outcome."""
        outcome: Outcome = concurrent.futures.Future()
        with self._lock:
            self._outcomes.add(outcome)
        return outcome

    def remove(self, outcome: Outcome) -> None:
        """Forget somebody who waits no more."""
        with self._lock:
            self._outcomes.discard(outcome)

    def signed_in(self, account: Account) -> None:
        """Tell everybody who signed in."""
        self._tell(lambda outcome: outcome.set_result(account))

    def failed(self, failure: Exception) -> None:
        """Tell everybody why nobody signed in."""
        self._tell(lambda outcome: outcome.set_exception(failure))

    def _tell(self, tell: Callable[[Outcome], None]) -> None:
        with self._lock:
            outcomes, self._outcomes = self._outcomes, set()
        for outcome in outcomes:
            with suppress(concurrent.futures.InvalidStateError):  # cancelled meanwhile
                tell(outcome)


class Awaited:
    """A widget whose sign-in cells wait for."""

    _waiters: Waiters

    def _outcome(self, *, blocking: bool) -> Outcome:
        """Return a future of the sign-in, which holds already what stands in its way."""
        raise NotImplementedError

    def wait(self, timeout: float | None = PATIENCE) -> Account:
        """Wait until somebody is signed in, and return who; an interrupt of the kernel ends it.

        It works in the cell that displays the widget, because the sign-in reaches the kernel by a
        thread of its own; one by code reaches it between two cells only.

        Args:
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            SignInError: ``wait_timed_out``; ``wait_impossible``, at once, if nothing can reach this
                kernel while a cell runs; ``widget_closed``; or what ended the sign-in.
            TokenTossError: What else ended the sign-in.
        """
        outcome = self._outcome(blocking=True)
        try:
            return wait_for(outcome, timeout)
        finally:
            self._waiters.remove(outcome)

    async def signed_in(self, timeout: float | None = PATIENCE) -> Account:
        """Do the same as :meth:`wait` without blocking the event loop.

        Args:
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            SignInError: ``wait_timed_out``, ``widget_closed``, or what ended the sign-in.
            TokenTossError: What else ended the sign-in.
        """
        outcome = self._outcome(blocking=False)
        try:
            return await await_(outcome, timeout)
        finally:
            self._waiters.remove(outcome)


def wait_for(outcome: Outcome, timeout: float | None) -> Account:
    """Block until there is an outcome; an interrupt of the kernel ends it.

    Args:
        outcome: What is waited for.
        timeout: Seconds to wait at most; None for no limit.

    Raises:
        SignInError: ``wait_timed_out``.
    """
    ends = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _SLICE if ends is None else min(_SLICE, ends - time.monotonic())
        # Not result(timeout): its timeout could not be told from an outcome that is a TimeoutError.
        done, _ = concurrent.futures.wait([outcome], max(left, 0.0))
        if done:
            return outcome.result()
        if ends is not None and time.monotonic() >= ends:
            raise _timed_out(timeout)


async def await_(outcome: Outcome, timeout: float | None) -> Account:
    """Do the same without blocking the event loop."""
    future = asyncio.wrap_future(outcome)
    done, _ = await asyncio.wait([future], timeout=timeout)
    if not done:
        future.cancel()
        raise _timed_out(timeout)
    return future.result()


def _timed_out(timeout: float | None) -> SignInError:
    return SignInError(code="wait_timed_out", subject=f"{timeout:g} s")
