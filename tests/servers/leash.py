"""Runs a command for as long as standard input stays open, so that no server outlives whoever wanted it.

    python leash.py COMMAND [ARGUMENT ...]

The pipe closes with the process that holds its other end, however that process ends. The command is then
asked to end, and made to if it does not.
"""

from __future__ import annotations

import subprocess
import sys
import threading

PATIENCE_SECONDS = 10


def main(command: list[str]) -> int:
    """Run the command; return its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_with_input, args=(child,), daemon=True).start()
    return child.wait()


def end_with_input(child: subprocess.Popen[bytes]) -> None:
    """Wait for the end of standard input, then end the child."""
    sys.stdin.buffer.read()
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
