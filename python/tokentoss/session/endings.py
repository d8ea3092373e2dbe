"""The end of a session, noticed when it comes and not at the next call."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from typing import Protocol

from tokentoss.util.forks import anew_in_child

logger = logging.getLogger(__name__)

LONGEST_WAIT = 30.0
"""Seconds after which the clock is looked at again: waiting does not count the time of a computer's sleep."""


class HasSession(Protocol):
    """A manager, as far as it matters here."""

    @property
    def session_ends_at(self) -> float | None:
        """When the session ends, in Unix seconds; None if there is none, or nobody knows."""

    def end_if_over(self) -> None:
        """End the session if its time is over, and tell whoever observes it."""


class Endings:
    """Watches sessions, held weakly, in one thread that lives only as long as one of them has an end."""

    def __init__(self) -> None:
        self._watched: weakref.WeakSet[HasSession] = weakref.WeakSet()
        self._is_running = False
        self._news = threading.Event()
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock, _is_running=bool, _news=threading.Event)

    def watch(self, one: HasSession) -> None:
        """Tell a manager when its session ends, for as long as it lives."""
        with self._lock:
            self._watched.add(one)
        self.look_again()

    def look_again(self) -> None:
        """Take note that a session began, ended or changed."""
        with self._lock:
            self._news.set()
            if self._is_running or all(one.session_ends_at is None for one in self._watched):
                return
            self._is_running = True
        try:
            threading.Thread(target=self._run, name="tokentoss-endings", daemon=True).start()
        except RuntimeError:  # a Python without threads
            self._run_in_loop()

    def _run(self) -> None:
        while True:
            self._news.clear()
            left = self._turn()
            if left is None:
                return
            self._news.wait(min(left, LONGEST_WAIT))

    def _run_in_loop(self) -> None:
        left = self._turn()
        if left is None:
            return
        try:
            asyncio.get_running_loop().call_later(min(left, LONGEST_WAIT), self._run_in_loop)
        except RuntimeError:  # no loop, either: pages ask now and then
            self._is_running = False

    def _turn(self) -> float | None:
        """End what is over; return the seconds until the next end, and None once there is none to come."""
        now = time.time()
        with self._lock:
            watched = list(self._watched)
        for one in watched:
            ends_at = one.session_ends_at
            if ends_at is not None and ends_at < now:
                try:
                    one.end_if_over()
                except Exception:
                    logger.exception("a session could not be ended")
        with self._lock:
            ends = [ends_at for one in watched if (ends_at := one.session_ends_at) is not None]
            left = min((ends_at - now for ends_at in ends if ends_at >= now), default=None)
            # Whoever begins a session from now on starts another thread.
            self._is_running = left is not None
            return left


endings = Endings()
