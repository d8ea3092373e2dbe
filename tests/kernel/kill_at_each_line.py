"""Kills a process at one line after another of what it does, and checks what each death leaves behind.

As a script it forks a child for every line of the package that an action runs through; the child kills
itself with SIGKILL when it comes to that line. After each death the script checks what is stored, and that
the next process works.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokentoss import AuthManager, ClientConfig, FileStorage, Provider, TokenData

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from servers.provider import LocalProvider

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "tokentoss"
PATIENCE_SECONDS = 300


def deaths(action: str, path: Path, provider: LocalProvider | None = None, *, stride: int = 1) -> list[str]:
    """Let an action die at every `stride`-th line; return where it died, as file and line."""
    order = {
        "action": action,
        "path": str(path),
        "stride": stride,
        "issuer": provider and provider.issuer,
        "client_id": provider and provider.public.client_id,
    }
    folders = [str(ROOT / "python"), str(ROOT / "tests")]
    finished = subprocess.run(
        [sys.executable, "-m", "kernel.kill_at_each_line"],
        input=json.dumps(order),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout[-500:]}\n{finished.stderr[-4000:]}"
    return finished.stdout.splitlines()


class _Reaper:
    """Counts the package's lines as they run, and kills the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __enter__(self) -> None:
        sys.settrace(self._trace)

    def __exit__(self, *_exception: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(str(PACKAGE)):
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                where = f"{Path(frame.f_code.co_filename).relative_to(PACKAGE)}:{frame.f_lineno}\n"
                os.write(1, where.encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return self._trace


def _dies_at(line: int, action: Callable[[], object]) -> bool:
    """Whether the action came as far as that line."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            with _Reaper(line):
                action()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGKILL}, f"the child failed before it could die at line {line}"
    return status == signal.SIGKILL


def _tokens(number: int) -> TokenData:
    filling = f"{number}-" * 2000
    expiry = "2030-01-01T00:00:00+00:00"
    return TokenData(f"access-{filling}", "", f"refresh-{filling}", expiry, ["openid"], "a@b.example")


def _look_around(path: Path) -> None:
    """What lies beside the file is private; what a dead writer left goes, or it would slow the next."""
    for file in path.parent.iterdir():
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, f"{file} is open to others"
        if file.suffix == ".tmp":
            file.unlink()


def _writes(path: Path, stride: int) -> None:
    """A write dies: the old tokens or the new ones are there, private, and the next write succeeds."""
    old, new = _tokens(1), _tokens(2)
    line = 1
    while True:
        FileStorage(path).save(old)
        if not _dies_at(line, lambda: FileStorage(path).save(new)):
            return
        left = FileStorage(path).load()
        assert left is not None, f"nothing is left after line {line}"
        assert left.access_token in {old.access_token, new.access_token}
        assert left.refresh_token == left.access_token.replace("access", "refresh"), "old and new are mixed"
        _look_around(path)
        line += stride


def _first_writes(path: Path, stride: int) -> None:
    """The very first write dies: nothing or the tokens are there, and the next write succeeds."""
    new = _tokens(2)
    line = 1
    while True:
        FileStorage(path).clear()
        if not _dies_at(line, lambda: FileStorage(path).save(new)):
            return
        left = FileStorage(path).load()
        assert left is None or left.access_token == new.access_token
        FileStorage(path).save(new)
        _look_around(path)
        line += stride


def _refreshes(path: Path, stride: int, make: Callable[[], AuthManager]) -> None:
    """A renewal dies: the session is still there, and the next process renews it without waiting."""
    line = 1
    while _dies_at(line, lambda: make().refresh_tokens()):
        survivor = make()
        assert survivor.is_authenticated, f"{survivor.last_error!r} after line {line}"
        before = survivor.token_data
        assert before is not None
        after = survivor.refresh_tokens()
        assert after.access_token != before.access_token
        stored = survivor.storage.load()
        assert stored is not None
        assert stored == after
        _look_around(path)
        line += stride


def main() -> int:
    """Read the order from standard input and let the action die."""
    order = json.load(sys.stdin)
    path, stride = Path(order["path"]), order["stride"]
    if order["action"] == "write":
        _writes(path, stride)
    elif order["action"] == "first write":
        _first_writes(path, stride)
    else:
        provider = Provider.discover(order["issuer"])
        _refreshes(
            path,
            stride,
            lambda: AuthManager(
                ClientConfig(order["client_id"]), storage=FileStorage(path), provider=provider
            ),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
