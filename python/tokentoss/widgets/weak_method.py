"""Calling a method without keeping its object."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def weakly(method: Callable[..., None]) -> Callable[..., None]:
    """Return a function that calls a bound method as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call(*args: Any) -> None:
        bound = reference()
        if bound is not None:
            bound(*args)

    return call
