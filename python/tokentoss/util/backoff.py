"""Waiting longer after every failure."""

from __future__ import annotations

import secrets
import time

_STEPS = 10  # doublings until the longest wait is certain


class BackOff:
    """Tells for how long a call that failed should not be tried again.

    Args:
        shortest: Wait after the first failure, in seconds.
        longest: Wait that is never exceeded, in seconds.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._failures = 0
        self._not_before = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether it is too early to try again."""
        return time.monotonic() < self._not_before

    def failed(self, at_least: float = 0.0) -> None:
        """Note a failure: wait twice as long as after the last one, by up to half of it less.

        Args:
            at_least: Seconds that the other side asked to wait.
        """
        pause = min(self._longest, self._shortest * 2**self._failures)
        self._failures = min(self._failures + 1, _STEPS)
        # Spread, so that many kernels do not come back to a provider at the same moment.
        self._not_before = time.monotonic() + max(spread(pause), at_least + spread(self._shortest) / 2)

    def reset(self) -> None:
        """Note a success."""
        self._failures = 0
        self._not_before = 0.0


class Retry:
    """Waits between the tries of one call: each time twice as long, spread, and only within a patience.

    Args:
        pause: Wait after the first failure, in seconds.
        patience: Seconds from now within which the last try begins.
        most: Tries in all.
    """

    def __init__(self, pause: float, patience: float, most: int | None = None) -> None:
        self._pause = pause
        self._ends = time.monotonic() + patience
        self._left = most

    def wait(self, at_least: float = 0.0) -> bool:
        """Wait for the next try; False, at once, if there is none.

        Args:
            at_least: Seconds that the other side asked to wait.
        """
        if self._left is not None:
            self._left -= 1
        pause = max(spread(self._pause), at_least)
        if self._left == 0 or time.monotonic() + pause > self._ends:
            return False
        time.sleep(pause)
        self._pause *= 2
        return True


def spread(pause: float) -> float:
    """Return a random part of a pause: at least half of it, and never more than the whole."""
    return pause * (0.5 + secrets.randbelow(1000) / 2000)
