"""Work beside the kernel's main thread."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


def in_thread(work: Callable[[], None], name: str) -> bool:
    """Do something in a thread; tell whether there are threads."""

    def run() -> None:
        try:
            work()
        except Exception:
            logger.exception("the sign-in at the broker failed")

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        return False
    return True


def in_thread_or_here(work: Callable[[], None], name: str) -> None:
    """Do something in a thread, or before this returns where there are none, as in Pyodide."""
    if not in_thread(work, name):
        work()
