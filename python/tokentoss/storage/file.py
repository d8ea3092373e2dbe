"""Tokens in a file that only its owner can read."""

from __future__ import annotations

import logging
import os
import stat
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tokentoss.exceptions import InsecureFilePermissionsWarning, StorageError
from tokentoss.storage.document import from_document, to_document
from tokentoss.storage.locks import file_lock, lock_name
from tokentoss.storage.records import RecordStorage
from tokentoss.storage.token_data import grant_of
from tokentoss.util.private_file import make_folder, read_private_file, remove_leftovers, write_private_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokentoss.storage.token_data import TokenData

logger = logging.getLogger(__name__)

TOKEN_FILE_VARIABLE = "TOKENTOSS_TOKEN_FILE"
"""Environment variable that names the token file."""

WRITE_TIMEOUT = 10.0
"""Seconds to wait for another process that is writing, which takes milliseconds."""


class FileStorage(RecordStorage):
    """Keeps the tokens of all accounts in one JSON file.

    On POSIX systems the file has mode 0600 from its creation, its default folder 0700, and owner and
    mode are checked on reading. Windows has no such modes: there the file inherits the access control
    list of its folder, which for the default one admits the user, the administrators and the system,
    and nothing is checked.

    Args:
        path: The file; by default the one that ``TOKENTOSS_TOKEN_FILE`` names, or ``tokens.json`` in
            the user's configuration folder.
        refuse_insecure: Whether a file that others may access is an error rather than a warning.
    """

    SECURE_PERMISSIONS = stat.S_IRUSR | stat.S_IWUSR
    """Mode of the file: its owner may read and write it, nobody else anything (0600)."""

    def __init__(self, path: str | Path | None = None, refuse_insecure: bool = False) -> None:
        super().__init__()
        chosen = path if path is not None else os.environ.get(TOKEN_FILE_VARIABLE) or None
        self._is_default = chosen is None
        if chosen is None:
            import platformdirs  # noqa: PLC0415 - only the default location needs it

            self.path = Path(platformdirs.user_config_dir("tokentoss")) / "tokens.json"
        else:
            self.path = Path(chosen).expanduser()
        self.refuse_insecure = refuse_insecure

    def __repr__(self) -> str:
        return f"FileStorage({str(self.path)!r})"

    def load_all(self) -> list[TokenData]:
        """Return the tokens of all accounts, default account first.

        Raises:
            StorageError: If the file cannot be read, is not this user's, or does not hold tokens.

        Warns:
            InsecureFilePermissionsWarning: If others may read or write the file.
        """
        return self._read(warn=True)

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

    def remove(self, tokens: TokenData) -> None:
        """Remove the tokens of one account, and the file with those of the last one.

        Raises:
            StorageError: If they cannot be removed.
        """
        with suppress(OSError):
            if not os.path.lexists(self.path):
                return
        super().remove(tokens)

    def discard(self, tokens: TokenData) -> bool:
        """Remove tokens, unless others of the same account have taken their place.

        Raises:
            StorageError: If they cannot be removed.
        """
        with suppress(OSError):
            if not os.path.lexists(self.path):
                return False
        return super().discard(tokens)

    @contextmanager
    def renewing(self, tokens: TokenData, timeout: float) -> Iterator[None]:
        """Take the account's turn to renew, among all processes that use this file.

        Raises:
            TimeoutError: If another holder keeps it for longer than ``timeout`` seconds.
        """
        lock = file_lock(self.path.with_name(lock_name(self.path.name, grant_of(tokens))), timeout)
        try:
            make_folder(self.path.parent, private=self._is_default)
            lock.__enter__()
        except TimeoutError:
            raise
        except OSError as failure:
            # Where no lock can be made no tokens can be written either: other processes see none of this.
            logger.warning("renewing without a lock beside %s: %s", self.path, failure.strerror)
            yield
            return
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        try:
            make_folder(self.path.parent, private=self._is_default)
            with file_lock(self.path.with_name(lock_name(self.path.name)), WRITE_TIMEOUT):
                yield
        except TimeoutError:
            raise StorageError(
                code="storage_unwritable", subject=f"{self.path} (another process keeps it locked)"
            ) from None
        except OSError as failure:
            raise self._error("storage_unwritable", failure) from failure

    def _read(self, *, warn: bool = False, code: str = "storage_unreadable") -> list[TokenData]:
        try:
            content, status = read_private_file(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as failure:
            raise self._error(code, failure) from failure
        self._check_owner_and_mode(status, warn=warn)
        try:
            return from_document(content.decode("utf-8"))
        except ValueError:
            raise StorageError(code="storage_corrupt", subject=str(self.path)) from None

    def _write(self, records: list[TokenData]) -> None:
        if not records:
            self.clear()
            return
        write_private_file(self.path, to_document(records).encode("utf-8"), private_folder=self._is_default)

    def _read_to_add(self) -> list[TokenData]:
        """Read what a sign-in is added to. A file that holds something else is set aside, not lost."""
        try:
            return self._read(code="storage_unwritable")
        except StorageError as failure:
            if failure.code != "storage_corrupt":
                raise
        aside = self.path.with_name(f"{self.path.name}.corrupt-{os.urandom(4).hex()}")
        self.path.rename(aside)
        logger.warning("%s did not hold tokens; its content is now in %s", self.path, aside)
        return []

    def _check_owner_and_mode(self, status: os.stat_result, *, warn: bool) -> None:
        if os.name != "posix":
            return
        # Root may own a file that was put in place for the user, and reads everyone's anyway.
        if os.geteuid() != 0 and status.st_uid not in {0, os.geteuid()}:
            raise StorageError(code="storage_unreadable", subject=f"{self.path} (it belongs to another user)")
        mode = stat.S_IMODE(status.st_mode)
        if not mode & 0o077:
            return
        if self.refuse_insecure:
            raise StorageError(code="storage_insecure", subject=f"{self.path} (mode {mode:04o})")
        if warn:
            warnings.warn(
                f"Others may access the token file {self.path} (mode {mode:04o}): run chmod 600 {self.path}",
                InsecureFilePermissionsWarning,
                stacklevel=4,
            )

    def _error(self, code: str, failure: OSError) -> StorageError:
        return StorageError(code=code, subject=f"{self.path} ({failure.strerror or 'input/output error'})")
