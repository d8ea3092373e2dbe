"""Runs a command for as long as standard input stays open, so that no server outlives whoever wanted it.

    python run_until_stdin_closes.py COMMAND [ARGUMENT ...]

The pipe closes with the process that holds its other end, however that process ends. The command is then
asked to end, and made to if it does not. What it leaves running ends with it, sessions of their own included.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE_SECONDS = 10
# From <linux/prctl.h>.
PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Run the command; return its exit status."""
    adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_with_input, args=(child,), daemon=True).start()
    status = child.wait()
    end_orphans()
    return status


def end_with_input(child: subprocess.Popen[bytes]) -> None:
    """Wait for the end of standard input, then end the child."""
    sys.stdin.buffer.read()
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def adopt_orphans() -> None:
    """Become the parent of what the command leaves behind; systems but Linux have no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans() -> None:
    """End what the command left running, and what that leaves in turn."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while children.exists() and (left := [int(child) for child in children.read_text().split()]):
        for child in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
