"""A program in a terminal of its own, whose user types and reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60.0


class TerminalProcess:
    """Runs a command; its standard output goes elsewhere if `stdout` says so."""

    def __init__(self, command: list[str], environment: dict[str, str], *, stdout: Any = None) -> None:
        self._master, terminal = pty.openpty()
        self._shown = b""
        self._process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal if stdout is None else stdout,
            stderr=terminal,
            env=environment,
            start_new_session=True,
            # So that Ctrl-C is an interrupt, and /dev/tty is this.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no other thread matters
        )
        os.close(terminal)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def screen(self) -> str:
        """All that was shown so far."""
        return self._shown.decode(errors="replace").replace("\r\n", "\n")

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for something, while the program runs."""
        ends = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < ends, self.screen
            assert self._process.poll() is None, self.screen
            time.sleep(0.01)
        return found

    def type(self, text: str) -> None:
        """Type text."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for the program's end, and return its exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def stop(self) -> None:
        """End the program, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        os.close(self._master)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(self._master, 4096):
                self._shown += part
