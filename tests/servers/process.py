"""A server process that says when it is ready, and that ends with its parent, however the parent ends."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RUNNER = Path(__file__).with_name("run_until_stdin_closes.py")
READY_SECONDS = 60


class ServerFailedError(RuntimeError):
    """A server ended, or stayed silent, before it was ready; the message holds the end of its log."""


class ServerProcess(Stoppable):
    """Starts a command, waits for a line that `is_ready` accepts, and stops it again.

    What it prints goes to `log`, but for the ready line: that is for the parent alone, as it may carry a
    client secret or an access token of the server.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        is_ready: Callable[[str], bool],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._log = log
        self._ready_line: str | None = None
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, str(RUNNER), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            # Ctrl-C in a terminal reaches the parent alone, which then stops its servers in order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(is_ready,), daemon=True)
        self._reader.start()

    @property
    def log(self) -> Path:
        """File with everything the server printed, but for its ready line."""
        return self._log

    def wait_ready(self) -> str:
        """Return the line that told the server is ready."""
        self._ready.wait(READY_SECONDS)
        if self._ready_line is None:
            self.stop()
            tail = "\n".join(self._log.read_text().splitlines()[-20:])
            message = f"{self._process.args!r} did not become ready; the end of {self._log}:\n{tail}"
            raise ServerFailedError(message)
        return self._ready_line

    def stop(self) -> None:
        """End the server: politely, then by force."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        # A grandchild may hold the output open for a moment longer.
        self._reader.join(READY_SECONDS)
        self._process.stdout.close()

    def _read(self, is_ready: Callable[[str], bool]) -> None:
        assert self._process.stdout is not None
        with self._log.open("a") as log:
            for line in self._process.stdout:
                if self._ready_line is None and is_ready(line):
                    self._ready_line = line
                    self._ready.set()
                    continue
                log.write(line)
                log.flush()
        self._ready.set()
