"""Locks between processes, which the operating system takes back from an owner that dies."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from tokentoss.util.forks import anew_in_child
from tokentoss.util.pyodide import in_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.02
"""Seconds between two attempts to take a lock that another process has."""

_NO_LOCKS = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK})

_folders: dict[Path, bool] = {}
_own_locks: dict[Path, threading.Lock] = {}
_own_locks_lock = threading.Lock()
anew_in_child(sys.modules[__name__], _own_locks=dict, _own_locks_lock=threading.Lock)


class LockFileError(OSError):
    """The lock file is there and cannot be used, for instance because it belongs to another user."""


@contextmanager
def file_lock(path: Path, timeout: float) -> Iterator[bool]:
    """Hold a lock file. It stays behind, empty, because removing it would split its waiters.

    On a file system without locks only the threads of this process are kept apart, and the log says so once.

    Args:
        path: The lock file; its folder must exist.
        timeout: Seconds to wait for it; 0 to try once.

    Yields:
        Whether other processes are kept out as well.

    Raises:
        TimeoutError: If another process, or another thread, keeps it for longer.
        LockFileError: If there is a lock file that cannot be used.
        OSError: If it cannot be made.
    """
    if in_browser():
        # One thread, and no lock that another kernel of the page would see or a dead one give back.
        yield True
        return
    if not _has_locks(path):
        with _own_lock(path, timeout):
            yield False
        return
    import filelock  # noqa: PLC0415 - a widget shows before it writes anything

    # One object a holder: it counts, rather than waits, when its own thread comes again.
    lock = filelock.FileLock(path, mode=0o600, poll_interval=POLL_INTERVAL)
    try:
        lock.acquire(timeout=max(timeout, 0.0))
    except filelock.Timeout:
        raise TimeoutError(f"{path} is held by another process") from None
    except OSError as failure:
        if os.path.lexists(path):
            raise LockFileError(failure.errno, _reason(path, failure), str(path)) from None
        raise
    try:
        yield True
    finally:
        with suppress(OSError):
            lock.release()


def lock_name(name: str, grant: tuple[str, ...] = ()) -> str:
    """Return the name of the lock file of a place, or of one grant there, without telling whose."""
    if not grant:
        return f"{name}.lock"
    # Files of earlier versions may name a subject that holds half a character.
    digest = sha256("\n".join(grant).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}.{digest[:12]}.lock"


def _has_locks(path: Path) -> bool:
    """Tell whether the file system of a lock file has locks, by undoing one that nobody has."""
    if os.name != "posix" or path.parent in _folders:
        return _folders.get(path.parent, True)
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        # Taking the lock says what is wrong.
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError as failure:
        if failure.errno not in _NO_LOCKS:
            return True
        logger.warning(
            "%s has no file locks (%s): processes that renew or store tokens at once are not kept apart",
            path.parent,
            failure.strerror,
        )
        _folders[path.parent] = False
    else:
        _folders[path.parent] = True
    finally:
        os.close(descriptor)
    return _folders[path.parent]


@contextmanager
def _own_lock(path: Path, timeout: float) -> Iterator[None]:
    with _own_locks_lock:
        lock = _own_locks.setdefault(path, threading.Lock())
    if not lock.acquire(timeout=max(timeout, 0.0)):
        raise TimeoutError(f"{path} is held by another thread")
    try:
        yield
    finally:
        lock.release()


def _reason(path: Path, failure: OSError) -> str:
    reason = failure.strerror or "input/output error"
    with suppress(OSError):
        if os.name == "posix" and path.lstat().st_uid != os.geteuid():
            return f"{reason}: it belongs to another user"
    return reason
