"""Waiting for a condition, never for a length of time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

# Cap on any wait. It only bounds a failing run: a passing one goes on as soon as the condition holds.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.02


def until(condition: Callable[[], Result | None], what: str, *, patience: float = PATIENCE_SECONDS) -> Result:
    """Return the first true result of `condition`; fails naming `what` was waited for."""
    deadline = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            message = f"waited {patience:.0f} s in vain for: {what} (last seen: {result!r})"
            raise TimeoutError(message)
        time.sleep(PAUSE_SECONDS)
