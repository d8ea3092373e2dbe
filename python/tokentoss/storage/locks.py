"""Locks between processes, which the operating system takes back from an owner that dies."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from tokentoss.util.pyodide import in_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_INTERVAL = 0.02
"""Seconds between two attempts to take a lock that another process has."""


@contextmanager
def file_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold a lock file. It stays behind, empty, because removing it would split its waiters.

    Args:
        path: The lock file; its folder must exist.
        timeout: Seconds to wait for it; 0 to try once.

    Raises:
        TimeoutError: If another process, or another thread, keeps it for longer.
        OSError: If it cannot be made.
    """
    if in_browser():
        # One thread, and no lock that another kernel of the page would see or a dead one give back.
        yield
        return
    import filelock  # noqa: PLC0415 - a widget shows before it writes anything

    # One object a holder: it counts, rather than waits, when its own thread comes again.
    lock = filelock.FileLock(path, mode=0o600, poll_interval=POLL_INTERVAL)
    try:
        lock.acquire(timeout=max(timeout, 0.0))
    except filelock.Timeout:
        raise TimeoutError(f"{path} is held by another process") from None
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


def lock_name(name: str, grant: tuple[str, ...] = ()) -> str:
    """Return the name of the lock file of a place, or of one grant there, without telling whose."""
    if not grant:
        return f"{name}.lock"
    return f"{name}.{sha256(chr(10).join(grant).encode('utf-8')).hexdigest()[:12]}.lock"
