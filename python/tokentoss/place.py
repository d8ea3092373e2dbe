"""Where the user reads: what helps in a notebook cannot be done in a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = Literal["notebook", "script", "command"]
"""A cell with widgets, a program in Python, or the command ``tokentoss``."""


class _Here:
    commands = 0


def place() -> Place:
    """Return where the user of this process reads what it says."""
    if _Here.commands:
        return "command"
    return "notebook" if _is_notebook() else "script"


@contextmanager
def in_command() -> Iterator[None]:
    """Say that a command runs, for as long as it does, in all of its threads."""
    _Here.commands += 1
    try:
        yield
    finally:
        _Here.commands -= 1


def _is_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None or sys.platform == "emscripten":
        return True
    marimo = sys.modules.get("marimo")
    return bool(getattr(marimo, "running_in_notebook", bool)())
