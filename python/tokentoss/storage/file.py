"""Tokens in a file that only its owner can read."""

from __future__ import annotations

import errno
import logging
import os
import stat
import warnings
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from tokentoss.exceptions import InsecureFilePermissionsWarning, StorageError
from tokentoss.storage.document import from_document, to_document
from tokentoss.storage.locks import LockFileError, file_lock, lock_name
from tokentoss.storage.records import RecordStorage
from tokentoss.storage.token_data import grant_of
from tokentoss.util.folders import config_folder, expanded
from tokentoss.util.private_file import (
    followed,
    is_open_to_writers,
    make_folder,
    read_private_file,
    remove_leftovers,
    while_in_use,
    write_private_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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

    A symbolic link that the user or root made in the place of the file is followed, if what it names exists.

    Args:
        path: The file; by default the one that ``TOKENTOSS_TOKEN_FILE`` names, or ``tokens.json`` in
            the user's configuration folder.
        refuse_insecure: Whether a file that others may access or replace is an error rather than a warning.

    Attributes:
        is_named: Whether ``path`` named the file.

    Raises:
        StorageError: ``storage_home_missing`` if no file is named and the user has no home folder.
    """

    SECURE_PERMISSIONS = stat.S_IRUSR | stat.S_IWUSR
    """Mode of the file: its owner may read and write it, nobody else anything (0600)."""

    def __init__(self, path: str | Path | None = None, refuse_insecure: bool = False) -> None:
        super().__init__()
        self.is_named = path is not None
        chosen = path if path is not None else os.environ.get(TOKEN_FILE_VARIABLE) or None
        self._is_default = chosen is None
        self.path: Path = config_folder() / "tokens.json" if chosen is None else expanded(chosen)
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
        """Remove the file, what interrupted writes left beside it, and what was set aside.

        Raises:
            StorageError: If it cannot be removed.
        """
        if self._leaves_nothing():
            return
        with self._lock, self._exclusively():
            self._remove_all()

    def exists(self) -> bool:
        """Tell whether there is a file; behind a link, whether it holds the tokens of anybody."""
        return self.path.exists() and (not self.path.is_symlink() or bool(self._read()))

    def remove(self, tokens: TokenData) -> None:
        """Remove the tokens of one account, and the file with those of the last one.

        What was set aside goes as well, because it may hold them.

        Raises:
            StorageError: If they cannot be removed.
        """
        if not self._leaves_nothing():
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
        with ExitStack() as stack:
            try:
                make_folder(self.path.parent, private=self._is_default)
                stack.enter_context(file_lock(self._lock_path(grant_of(tokens)), timeout))
            except TimeoutError:
                raise
            except OSError as failure:
                # Where no lock can be made no tokens can be written either: other processes see none of this.
                logger.warning("renewing without a lock beside %s: %s", self.path, failure.strerror)
            yield

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        try:
            make_folder(self.path.parent, private=self._is_default)
            with file_lock(self._lock_path(), WRITE_TIMEOUT) as is_alone:
                remove_leftovers(followed(self.path), is_locked=is_alone)
                yield
        except TimeoutError:
            raise StorageError(
                code="storage_unwritable", subject=f"{self.path} (another process keeps it locked)"
            ) from None
        except LockFileError as failure:
            subject = f"{failure.filename} ({failure.strerror})"
            raise StorageError(code="storage_lock_unusable", subject=subject) from failure
        except OSError as failure:
            raise self._error("storage_unwritable", failure) from failure

    def _lock_path(self, grant: tuple[str, ...] = ()) -> Path:
        place = followed(self.path)
        return place.with_name(lock_name(place.name, grant))

    def _read(self, *, warn: bool = False, code: str = "storage_unreadable") -> list[TokenData]:
        try:
            content, status = read_private_file(followed(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as failure:
            raise self._error(code, failure) from failure
        self._check_owner_and_mode(status, warn=warn)
        try:
            return from_document(content.decode("utf-8"))
        except ValueError:
            # The parser's frames hold the content, so this error is not made from its own.
            pass
        raise StorageError(code="storage_corrupt", subject=str(self.path))

    def _write(self, records: list[TokenData]) -> None:
        if not records:
            self._remove_all()
            return
        write_private_file(
            followed(self.path),
            to_document(records).encode("utf-8"),
            private_folder=self._is_default and not self.path.is_symlink(),
        )

    def _read_to_add(self) -> list[TokenData]:
        """Read what a sign-in is added to. A file that holds something else is set aside, not lost."""
        try:
            return self._read(code="storage_unwritable")
        except StorageError as failure:
            # Behind a link may be a file of another program.
            if failure.code != "storage_corrupt" or self.path.is_symlink():
                raise
        aside = self.path.with_name(f"{self.path.name}.corrupt-{os.urandom(4).hex()}")
        self.path.rename(aside)
        with suppress(OSError):
            aside.chmod(self.SECURE_PERMISSIONS)
        logger.warning("%s did not hold tokens; its content is now in %s", self.path, aside)
        return []

    def _remove_one(self, tokens: TokenData, *, only_same: bool) -> bool:
        was_removed = super()._remove_one(tokens, only_same=only_same)
        if not only_same:
            self._remove_set_aside()
        return was_removed

    def _leaves_nothing(self) -> bool:
        """Tell whether there is nothing to remove, so that neither a folder nor a lock is made for it."""
        beside = (f".{self.path.name}.*.tmp", f"{self.path.name}.corrupt-*")
        try:
            return not os.path.lexists(self.path) and not any(
                any(self.path.parent.glob(pattern)) for pattern in beside
            )
        except OSError:
            return False

    def _remove_all(self) -> None:
        if self._stands_for_tokens():
            # The link was put there on purpose, for the next sign-in as well.
            write_private_file(followed(self.path), to_document([]).encode("utf-8"))
        else:
            while_in_use(lambda: self.path.unlink(missing_ok=True))
        self._remove_set_aside()

    def _stands_for_tokens(self) -> bool:
        """Tell whether the path is a link to a file of tokens, not to one of another program."""
        if not self.path.is_symlink():
            return False
        try:
            self._read()
        except StorageError:
            return False
        return True

    def _remove_set_aside(self) -> None:
        for aside in self.path.parent.glob(f"{self.path.name}.corrupt-*"):
            aside.unlink(missing_ok=True)

    def _check_owner_and_mode(self, status: os.stat_result, *, warn: bool) -> None:
        if os.name != "posix":
            return
        # Root may own a file that was put in place for the user, and reads everyone's anyway.
        if os.geteuid() != 0 and status.st_uid not in {0, os.geteuid()}:
            raise StorageError(code="storage_unreadable", subject=f"{self.path} (it belongs to another user)")
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            shown = f"{self.path} (mode {mode:04o})"
            advice = f"Others may access the token file {shown}: run chmod 600 {self.path}"
            self._complain("storage_insecure", shown, advice, warn=warn)
        folder = followed(self.path).parent
        if is_open_to_writers(folder):
            shown = f"{folder} (mode {stat.S_IMODE(folder.stat().st_mode):04o})"
            advice = f"Others may replace the token file in {shown}: run chmod go-w {folder}"
            self._complain("storage_folder_insecure", shown, advice, warn=warn)

    def _complain(self, code: str, subject: str, advice: str, *, warn: bool) -> None:
        if self.refuse_insecure:
            raise StorageError(code=code, subject=subject)
        if warn:
            warnings.warn(advice, InsecureFilePermissionsWarning, stacklevel=5)

    def _error(self, code: str, failure: OSError) -> StorageError:
        if failure.errno == errno.EFBIG:
            return StorageError(code="storage_too_large", subject=str(self.path))
        return StorageError(code=code, subject=f"{self.path} ({failure.strerror or 'input/output error'})")
