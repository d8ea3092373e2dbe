"""Whether a browser can be opened that the user sees, and that reaches this machine's loopback address."""

from __future__ import annotations

import os
import sys

from tokentoss.handoff.remote_kernel import is_remote


def has_browser() -> bool:
    """Tell whether there is one, as far as the environment tells.

    Python would also run a browser for text in the terminal, in which few providers work.
    """
    if os.environ.get("BROWSER"):
        return True
    if is_remote():
        return False
    if sys.platform in {"darwin", "win32"}:
        return not os.environ.get("SSH_CONNECTION")
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
