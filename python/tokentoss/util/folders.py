"""The user's own folder for this package, and paths below the home folder."""

from __future__ import annotations

import os
from pathlib import Path

from tokentoss.exceptions import StorageError

APP_NAME = "tokentoss"
"""Folder of this package in the user's configuration folder."""


def config_folder() -> Path:
    """Return the folder of this package, such as ``~/.config/tokentoss``; it need not exist.

    Raises:
        StorageError: ``storage_home_missing`` if the user has no home folder, as in some containers.
    """
    import platformdirs  # noqa: PLC0415 - only callers without an explicit path need it

    try:
        folder = Path(platformdirs.user_config_dir(APP_NAME))
    except RuntimeError:
        raise StorageError(code="storage_home_missing") from None
    # Without a home folder some versions answer with "~/.config", which is below the working folder.
    if not folder.is_absolute():
        raise StorageError(code="storage_home_missing")
    return folder


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home folder, which stays the same after ``os.chdir``.

    Raises:
        StorageError: ``storage_home_missing`` if there is none; ``storage_path_invalid`` for what the
            operating system takes for no path.
    """
    try:
        if b"\0" in os.fsencode(path):
            raise StorageError(code="storage_path_invalid", subject=repr(str(path)))
        return Path(path).expanduser().absolute()
    except UnicodeEncodeError:
        raise StorageError(code="storage_path_invalid", subject=repr(str(path))) from None
    except RuntimeError:
        raise StorageError(code="storage_home_missing") from None
    except FileNotFoundError:
        # The working folder is gone, and with it what a relative path is below.
        raise StorageError(code="storage_path_invalid", subject=repr(str(path))) from None
