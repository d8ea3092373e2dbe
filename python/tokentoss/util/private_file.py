"""Files that only their owner can read, from the moment they exist."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tokentoss.util.secret import SecretBytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Done = TypeVar("Done")
"""What an action returns."""

MAX_SIZE = 64 * 1_048_576
"""Bytes of the largest file that is written or read: more than 50,000 accounts."""

_MODE = 0o600
_FOLDER_MODE = 0o700
_LEFTOVER_AGE = 60.0
# Windows has neither flag; there a symbolic link needs a privilege to be planted.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)
# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: somebody has the file open.
_IN_USE = frozenset({5, 32, 33})
_IN_USE_PATIENCE = 1.0
_IN_USE_PAUSE = 0.01


def write_private_file(path: Path, content: bytes, *, private_folder: bool = False) -> None:
    """Replace a file in one step: readers, and a crash at any moment, see the old or the new content.

    The content goes to a new file beside it, readable only by its owner from its creation, and takes
    the name once it is on disk. A symbolic link in its place is refused.

    Args:
        path: The file.
        content: Its new content.
        private_folder: Whether the folder belongs to this package and is closed to others.

    Raises:
        OSError: If it cannot be written, or the content is larger than ``MAX_SIZE``.
    """
    # Errors and interruptions pass this frame.
    content = SecretBytes(content)
    if len(content) > MAX_SIZE:
        raise OSError(errno.EFBIG, f"is larger than {MAX_SIZE // 1_048_576} MiB", str(path))
    make_folder(path.parent, private=private_folder)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "is a symbolic link", str(path))
    remove_leftovers(path)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSE_ON_EXEC | _BINARY
    descriptor = os.open(temporary, flags, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        while_in_use(lambda: temporary.replace(path))
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def read_private_file(path: Path) -> tuple[bytes, os.stat_result]:
    """Return content and status of a regular file, without following a symbolic link.

    Raises:
        OSError: If it cannot be read, is a link, no regular file, or too large.
    """
    flags = os.O_RDONLY | _NO_FOLLOW | _NON_BLOCKING | _CLOSE_ON_EXEC | _BINARY
    descriptor = while_in_use(lambda: os.open(path, flags))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        content = SecretBytes(file.read(MAX_SIZE + 1))
    if len(content) > MAX_SIZE:
        raise OSError(errno.EFBIG, f"is larger than {MAX_SIZE // 1_048_576} MiB", str(path))
    return content, status


def followed(path: Path) -> Path:
    """Return the file that a path stands for: that of a link which this user or root made, or the path.

    Raises:
        OSError: If the link is another user's, others may change it, or what it names does not exist.
    """
    try:
        status = path.lstat()
    except OSError:
        # Whoever opens the path learns what is wrong with it.
        return path
    if not stat.S_ISLNK(status.st_mode):
        return path
    if os.name == "posix" and status.st_uid not in {0, os.geteuid()}:
        raise OSError(errno.ELOOP, "is a symbolic link of another user", str(path))
    if is_open_to_writers(path.parent):
        raise OSError(errno.ELOOP, "is a symbolic link in a folder that others may write to", str(path))
    try:
        return path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        message = "is a symbolic link to a file that does not exist"
        raise OSError(errno.ELOOP, message, str(path)) from None
    except RuntimeError:
        # Python up to 3.12 reports a circle of links so.
        raise OSError(errno.ELOOP, "is a circle of symbolic links", str(path)) from None


def is_open_to_writers(folder: Path) -> bool:
    """Tell whether any user may replace the files of others in a folder; False if it cannot be looked at."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def remove_leftovers(path: Path, *, is_locked: bool = False) -> None:
    """Remove temporary files that an interrupted write left behind; they hold what it wrote.

    Args:
        path: The file that was written.
        is_locked: Whether no other process can be writing; otherwise files of the last minute stay.
    """
    oldest = time.time() - _LEFTOVER_AGE
    with suppress(OSError):
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):
            with suppress(OSError):
                if is_locked or leftover.lstat().st_mtime < oldest:
                    leftover.unlink()


def make_folder(folder: Path, *, private: bool) -> None:
    """Make a folder, and those above it, that only their owner may enter.

    Args:
        folder: The folder.
        private: Whether it is this package's own, which is closed to others if it is open.

    Raises:
        OSError: If it cannot be made.
    """
    for missing in reversed([one for one in folder.parents if not one.exists()]):
        # Path.mkdir(parents=True) leaves their mode to the umask.
        missing.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    try:
        folder.mkdir(mode=_FOLDER_MODE)
    except FileExistsError:
        if private and os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            # Version 0.1.1 created this folder open to others.
            with suppress(OSError):
                folder.chmod(_FOLDER_MODE)


def while_in_use(action: Callable[[], Done]) -> Done:
    """Do something with a file, again for about a second while Windows says that it is in use.

    Raises:
        OSError: Whatever else the action raises, or its last refusal.
    """
    ends = time.monotonic() + _IN_USE_PATIENCE
    while True:
        try:
            return action()
        except PermissionError as failure:
            # Only Windows numbers its refusals so.
            if getattr(failure, "winerror", None) not in _IN_USE or time.monotonic() >= ends:
                raise
        time.sleep(_IN_USE_PAUSE)


def _sync_folder(folder: Path) -> None:
    # The rename is durable once the folder is; Windows cannot open folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
