"""What a forked process makes anew: locks that its parent's threads hold, connections that both would use."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_makers: weakref.WeakKeyDictionary[Any, dict[str, Callable[[], object]]] = weakref.WeakKeyDictionary()


def anew_in_child(owner: object, **makers: Callable[[], object]) -> None:
    """Have a forked process replace attributes before it goes on.

    Args:
        owner: An object, class or module; it is held weakly, so its makers must not refer to it.
        **makers: What makes the new value, by the attribute's name.
    """
    _makers[owner] = makers


def _after_fork_in_child() -> None:
    for owner, makers in list(_makers.items()):
        for name, make in makers.items():
            setattr(owner, name, make())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
