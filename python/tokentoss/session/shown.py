"""What a notebook shows of a manager: its status widget; elsewhere one line."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokentoss.session.summary import line_of

if TYPE_CHECKING:
    from tokentoss.session.summary import HasSession

logger = logging.getLogger(__name__)

Shown = tuple[dict[str, Any], dict[str, Any]]


def shown(manager: HasSession, **kwargs: Any) -> Shown:
    """Return the bundle that IPython displays; a display never fails.

    Args:
        manager: What is displayed.
        **kwargs: IPython's, such as the types that it wants.
    """
    try:
        if not _is_notebook():
            return {"text/plain": line_of(manager)}, {}
        # By name, because widgets know managers and not the other way round.
        widgets = import_module("tokentoss.widgets.status_widget")
        bundle: Shown | None = widgets.widget_of(manager)._repr_mimebundle_(**kwargs)
        if bundle is not None:
            return bundle
    except Exception:
        logger.exception("a manager could not be displayed")
    return {"text/plain": repr(manager)}, {}


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"
