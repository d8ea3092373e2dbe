"""Whether this Python runs in a browser (Pyodide), without threads, sockets and other processes."""

from __future__ import annotations

import sys


def in_browser() -> bool:
    """Tell whether it does."""
    return sys.platform == "emscripten"
