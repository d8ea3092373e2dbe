"""Clocks, threads and timers that stand still until a test moves them.

A simulated thread is a real one that runs only while the test waits for it: until it waits for something
itself, or ends. So every order of what threads do can be made, and made again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

BEGINNING = 1_900_000_000.0


class Clock:
    """The time, and everything that waits for it."""

    def __init__(self) -> None:
        self.true_time = BEGINNING
        self.error = 0.0
        """Seconds by which the wall clock is wrong."""
        self.threads: list[Thread] = []
        self.timers: list[Timer] = []

    def wall(self) -> float:
        return self.true_time + self.error

    def monotonic(self) -> float:
        # Small, because event loops add a nanosecond to it.
        return self.true_time - BEGINNING

    def sleep(self, seconds: float) -> None:
        self.true_time += seconds

    def pass_by(self, seconds: float) -> None:
        """Let time go by: timers that are due fire, threads do not run yet."""
        self.true_time += seconds
        for timer in [one for one in self.timers if one.due <= self.true_time]:
            self.timers.remove(timer)
            timer.act()

    def runnable(self) -> list[Thread]:
        return [one for one in self.threads if one.may_run(self.true_time)]

    def primitives(self) -> SimpleNamespace:
        """What stands for the module ``threading`` where a test replaces it."""
        return SimpleNamespace(
            Thread=lambda **named: Thread(self, **named),
            Timer=lambda *named: Timer(self, *named),
            Event=lambda: Event(self),
            Lock=threading.Lock,
            RLock=threading.RLock,
        )


class Thread:
    """Runs when the test says so."""

    def __init__(
        self,
        clock: Clock,
        target: Callable[..., object],
        args: Iterable[Any] = (),
        name: str = "",
        daemon: bool = True,
    ) -> None:
        self.name = name
        self._clock = clock
        self._act = lambda: target(*args)
        self._real = threading.Thread(target=self._run, name=f"simulated-{name}", daemon=daemon)
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._waits_for: tuple[Event, float] | None = None
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._clock.threads.append(self)

    def may_run(self, now: float) -> bool:
        return self._waits_for is None or self._waits_for[0].is_set() or self._waits_for[1] <= now

    def resume(self) -> None:
        """Let it run until it waits or ends."""
        if self._real.ident is None:
            self._real.start()
        else:
            self._go.release()
        assert self._stopped.acquire(timeout=20), f"{self.name} waits for a lock that nobody lets go of"
        if self._waits_for is None:
            self._real.join()
            self._clock.threads.remove(self)
            if self.failure is not None:
                raise self.failure

    def wait(self, event: Event, until: float) -> None:
        """Called in it: hand back to the test, and go on when that resumes it."""
        self._waits_for = event, until
        self._stopped.release()
        self._go.acquire()
        self._waits_for = None

    def _run(self) -> None:
        _own.thread = self
        try:
            self._act()
        except BaseException as failure:  # noqa: BLE001 - told to the test
            self.failure = failure
        finally:
            self._stopped.release()


_own = threading.local()


class Event(threading.Event):
    """An event for which simulated threads wait."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        thread: Thread | None = getattr(_own, "thread", None)
        if not self.is_set():
            assert timeout is not None, "nothing waits without an end"
            if thread is None:
                self._clock.sleep(timeout)
            else:
                thread.wait(self, self._clock.true_time + timeout)
        return self.is_set()


class Timer:
    """Calls something when time has gone by."""

    def __init__(
        self,
        clock: Clock,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.daemon = False
        self._clock = clock
        self._interval = interval
        self.due = 0.0
        self.act = lambda: function(*args, **(kwargs or {}))

    def start(self) -> None:
        self.due = self._clock.true_time + self._interval
        self._clock.timers.append(self)

    def cancel(self) -> None:
        if self in self._clock.timers:
            self._clock.timers.remove(self)
