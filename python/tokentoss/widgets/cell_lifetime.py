"""Which cells show a widget: what a cell made is let go when the cell is run again.

ipywidgets keeps every widget until its kernel ends, and with it its half in the page, although the outputs
of a cell that is run again are gone. Hosts that name the cell in its execution requests, as JupyterLab and
Notebook do, make it possible to do better; in all others every widget stays.
"""

from __future__ import annotations

import re
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Protocol

from tokentoss.util.forks import anew_in_child

Cell = tuple[str, str]
"""A page's session and the id of a cell: another page that shows the same notebook has outputs of its own."""

_RESULT = re.compile("_{1,3}|_[0-9]+")


class ShownWidget(Protocol):
    """What is asked of a widget that cells show."""

    shown_in: set[Cell | None]
    """The cells that show it; None for what is outside of a cell."""

    def keep(self) -> None:
        """Live on, whether the user's code holds the widget or not."""

    def let_go(self) -> None:
        """Live on only as long as the user's code holds the widget."""


class FormerResult:
    """Stands for a widget among the results of a cell that was run again, while something else holds it."""

    def __init__(self, widget: ShownWidget) -> None:
        self._widget = weakref.ref(widget)

    def __getattr__(self, name: str) -> Any:
        widget = self._widget()
        if widget is None:
            raise AttributeError("The cell of this widget was run again: use the result of the latest run.")
        return getattr(widget, name)

    def __repr__(self) -> str:
        widget = self._widget()
        return "<widget of a cell that was run again>" if widget is None else repr(widget)


@dataclass
class _Execution:
    """The latest execution of a cell, and what it made or shows."""

    message: str = ""
    widgets: weakref.WeakSet[ShownWidget] = field(default_factory=weakref.WeakSet)


_latest: dict[Cell, _Execution] = {}
# Re-entrant, because the garbage collector may close a widget anywhere.
_lock = threading.RLock()
anew_in_child(sys.modules[__name__], _lock=threading.RLock)


def shows(widget: ShownWidget) -> None:
    """Note that the cell being executed made or shows a widget, in place of what it did before."""
    cell, message = _executed()
    with _lock:
        if cell is None:
            # What comes from outside of a cell has no output that could go, so it stays.
            widget.shown_in.add(cell)
            return
        gone = _superseded(cell, message)
        widget.shown_in.add(cell)
        _latest[cell].widgets.add(widget)
    widget.keep()
    for one in gone:
        if one is widget:
            continue  # what every run of the cell shows anew
        one.let_go()
        _hold_results_weakly(one)


def _superseded(cell: Cell, message: str) -> list[ShownWidget]:
    """Begin the cell's new execution, if it is one, and return the widgets that no cell shows any more."""
    if cell in _latest and _latest[cell].message == message:
        return []
    for empty in [one for one, execution in _latest.items() if not execution.widgets]:
        del _latest[empty]
    previous = _latest.get(cell, _Execution())
    _latest[cell] = _Execution(message)
    gone = []
    for one in previous.widgets:
        one.shown_in.discard(cell)
        if not one.shown_in:
            gone.append(one)
    return gone


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _executed() -> tuple[Cell | None, str]:
    """Return the cell whose output a display would be part of, and the id of its execution request."""
    parent_of = getattr(getattr(_shell(), "kernel", None), "get_parent", None)
    parent = parent_of() if parent_of is not None else None
    if not isinstance(parent, dict):
        return None, ""
    header, cell = parent.get("header", {}), parent.get("metadata", {}).get("cellId")
    if header.get("msg_type") != "execute_request" or not isinstance(cell, str):
        return None, ""
    return (header["session"], cell), header["msg_id"]


def _hold_results_weakly(widget: ShownWidget) -> None:
    """Let the results that IPython keeps, ``Out``, ``_`` and their like, hold a widget weakly.

    They work as before for as long as the user's code holds it.
    """
    shell, former = _shell(), FormerResult(widget)
    results = shell.user_ns.get("_oh", {})
    for number in [number for number, result in results.items() if result is widget]:
        results[number] = former
    for names in (shell.user_ns, shell.user_ns_hidden, vars(shell.displayhook)):
        held = [name for name, value in names.items() if value is widget and _RESULT.fullmatch(name)]
        names.update(dict.fromkeys(held, former))
