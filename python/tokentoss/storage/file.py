"""Tokens in a file that only its owner can read."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
import warnings
from pathlib import Path

from tokentoss.exceptions import InsecureFilePermissionsWarning, StorageError
from tokentoss.storage.private_file import read_private_file, remove_leftovers, write_private_file
from tokentoss.tokens import TokenData

logger = logging.getLogger(__name__)


class FileStorage:
    """Keeps tokens in a JSON file.

    Args:
        path: The file; by default ``tokens.json`` in the user's configuration folder.
    """

    SECURE_PERMISSIONS = stat.S_IRUSR | stat.S_IWUSR
    """Mode of the file: its owner may read and write it, nobody else anything (0600)."""

    def __init__(self, path: str | Path | None = None) -> None:
        self._is_default = path is None
        if path is None:
            import platformdirs  # noqa: PLC0415 - only the default location needs it

            self.path = Path(platformdirs.user_config_dir("tokentoss")) / "tokens.json"
        else:
            self.path = Path(path).expanduser()
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"FileStorage({str(self.path)!r})"

    def save(self, tokens: TokenData) -> None:
        """Replace the stored tokens in one step. A file that holds something else is set aside.

        Raises:
            StorageError: If the file cannot be written; what was stored stays.
        """
        content = json.dumps(tokens.to_dict(), indent=2).encode("utf-8")
        try:
            with self._lock:
                self._set_aside_foreign_content()
                write_private_file(self.path, content, private_folder=self._is_default)
        except OSError as failure:
            raise self._error("storage_unwritable", failure) from failure

    def load(self) -> TokenData | None:
        """Return the stored tokens, or None if there is no file.

        Raises:
            StorageError: If the file cannot be read, is not this user's, or does not hold tokens.

        Warns:
            InsecureFilePermissionsWarning: If others may read or write the file.
        """
        try:
            content, status = read_private_file(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as failure:
            raise self._error("storage_unreadable", failure) from failure
        self._check_owner_and_mode(status)
        return self._parse(content)

    def clear(self) -> None:
        """Remove the file and what interrupted writes left beside it.

        Raises:
            StorageError: If it cannot be removed.
        """
        try:
            with self._lock:
                remove_leftovers(self.path)
                self.path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as failure:
            raise self._error("storage_unwritable", failure) from failure

    def exists(self) -> bool:
        """Tell whether there is a file."""
        return self.path.exists()

    def _parse(self, content: bytes) -> TokenData:
        try:
            data = json.loads(content.decode("utf-8"))
            if isinstance(data, dict):
                return TokenData.from_dict(data)
        except (ValueError, KeyError, RecursionError):
            # The parser's own text can quote the file, and with it a token.
            pass
        raise StorageError(code="storage_corrupt", subject=str(self.path)) from None

    def _check_owner_and_mode(self, status: os.stat_result) -> None:
        if os.name != "posix":
            return
        # Root may own a file that was put in place for the user, and reads everyone's anyway.
        if os.geteuid() != 0 and status.st_uid not in {0, os.geteuid()}:
            raise StorageError(code="storage_unreadable", subject=f"{self.path} (it belongs to another user)")
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            warnings.warn(
                f"Others may access the token file {self.path} (mode {mode:04o}): run chmod 600 {self.path}",
                InsecureFilePermissionsWarning,
                stacklevel=3,
            )

    def _set_aside_foreign_content(self) -> None:
        try:
            content, _ = read_private_file(self.path)
            self._parse(content)
        except (FileNotFoundError, NotADirectoryError):
            return
        except StorageError:
            aside = self.path.with_name(f"{self.path.name}.corrupt-{os.urandom(4).hex()}")
            self.path.rename(aside)
            logger.warning("%s did not hold tokens; its content is now in %s", self.path, aside)

    def _error(self, code: str, failure: OSError) -> StorageError:
        return StorageError(code=code, subject=f"{self.path} ({failure.strerror or 'input/output error'})")
