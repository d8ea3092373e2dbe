"""Whether this process is the kernel of a notebook that somebody looks at."""

from __future__ import annotations

import sys
from typing import Any


def has_front_end() -> bool:
    """Tell whether this is a notebook with somebody in front of it."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    # Programs that execute notebooks by themselves say that nobody answers questions.
    return kernel is not None and bool(getattr(kernel, "_allow_stdin", True))
