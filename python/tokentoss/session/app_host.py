"""Hosts that show one notebook as an app to several people: whose session is whose there.

Voila runs a process for each visitor, all of them as one user of the machine. ``marimo run`` runs a thread
for each visitor, all of them in one process.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tokentoss.storage import FileStorage, MemoryStorage

if TYPE_CHECKING:
    from tokentoss.storage import TokenStorage

APP_HOST_VARIABLE = "TOKENTOSS_APP_HOST"
"""Environment variable that says whether several people share this host: ``1`` or ``0``."""

_ATTRIBUTE = "_tokentoss_visitor"


class _Process:
    """What was found out about this process, for threads that a host does not know."""

    serves_visitors = False


def is_shared() -> bool:
    """Tell whether other people than the one who is served now use the same files or the same process."""
    said = os.environ.get(APP_HOST_VARIABLE)
    if said in {"0", "1"}:
        return said == "1"
    return _is_voila() or _serves_visitors()


def visitor() -> object | None:
    """Return what stands for the visitor who is served now, to be compared by identity.

    Returns:
        None where all of the process belongs to one person; something that equals nothing else in a thread
        of which it is not known whom it serves.
    """
    if not _serves_visitors():
        return None
    context = _marimo_context()
    if context is None:
        return object()
    try:
        mark: object = context.__dict__.setdefault(_ATTRIBUTE, object())
    except AttributeError:
        return object()
    return mark


def default_storage() -> TokenStorage:
    """Return where tokens are kept unless somebody says where: in memory, where files are everybody's."""
    return MemoryStorage() if is_shared() else FileStorage()


def _is_voila() -> bool:
    return "VOILA_BASE_URL" in os.environ or os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def _serves_visitors() -> bool:
    marimo = sys.modules.get("marimo")
    if marimo is not None and not _Process.serves_visitors:
        app_meta = getattr(marimo, "app_meta", None)
        _Process.serves_visitors = app_meta is not None and app_meta().mode == "run"
    return _Process.serves_visitors


def _marimo_context() -> Any:
    """Return the context of the visitor whose thread this is; None in any other thread."""
    types = sys.modules.get("marimo._runtime.context.types")
    try:
        return None if types is None else types.get_context()
    except Exception:  # noqa: BLE001 - its error for a thread without one, under whatever name
        return None
