"""Files that only their owner can read, from the moment they exist."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o600
_FOLDER_MODE = 0o700
_MAX_SIZE = 1_048_576
_LEFTOVER_AGE = 60.0
# Windows has neither flag; there a symbolic link needs a privilege to be planted.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def write_private_file(path: Path, content: bytes, *, private_folder: bool = False) -> None:
    """Replace a file in one step: readers, and a crash at any moment, see the old or the new content.

    The content goes to a new file beside it, readable only by its owner from its creation, and takes
    the name once it is on disk. A symbolic link in its place is refused.

    Args:
        path: The file.
        content: Its new content.
        private_folder: Whether the folder belongs to this package and is closed to others.

    Raises:
        OSError: If it cannot be written.
    """
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
        temporary.replace(path)
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
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NON_BLOCKING | _CLOSE_ON_EXEC | _BINARY)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        content = file.read(_MAX_SIZE + 1)
    if len(content) > _MAX_SIZE:
        raise OSError(errno.EFBIG, "is larger than 1 MiB", str(path))
    return content, status


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that an interrupted write left behind; they hold what it wrote."""
    oldest = time.time() - _LEFTOVER_AGE
    with suppress(OSError):
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):
            with suppress(OSError):
                if leftover.lstat().st_mtime < oldest:
                    leftover.unlink()


def make_folder(folder: Path, *, private: bool) -> None:
    """Make a folder that only its owner may enter; close one that is this package's own if it is open."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=_FOLDER_MODE)
    except FileExistsError:
        if private and os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            # Version 0.1.1 created this folder open to others.
            with suppress(PermissionError):
                folder.chmod(_FOLDER_MODE)


def _sync_folder(folder: Path) -> None:
    # The rename is durable once the folder is; Windows cannot open folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
