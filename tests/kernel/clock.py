"""A clock that a test moves: this process's wall clock and monotonic one, and the provider's with them."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import time_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from servers.provider import LocalProvider


class VirtualClock:
    """Runs on from the present, and jumps ahead when it is told to."""

    def __init__(self, provider: LocalProvider, travel: time_machine.Coordinates) -> None:
        self.elapsed = 0.0
        self._provider = provider
        self._travel = travel

    def advance(self, seconds: float, *, skew: float = 0.0, **switches: Any) -> None:
        """Let time pass, here and at the provider.

        `skew` is by how much the provider's clock is ahead of ours from now on; `switches` are its others.
        """
        self.elapsed += seconds
        self._travel.shift(seconds)
        self._provider.change(clock_offset_seconds=self.elapsed + skew, **switches)


def virtual_clock(provider: LocalProvider, patch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """Take over the clocks of this process."""
    now = dt.datetime.now(dt.timezone.utc)
    with time_machine.travel(now, tick=True) as travel:
        clock = VirtualClock(provider, travel)
        monotonic = time.monotonic
        # time-machine leaves this one alone; back-off and lifetimes of keys are measured by it.
        patch.setattr(time, "monotonic", lambda: monotonic() + clock.elapsed)
        yield clock
