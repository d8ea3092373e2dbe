"""Tokens in the keyring of the operating system."""

from __future__ import annotations

import json
import logging
import secrets
import warnings
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tokentoss.exceptions import KeyringUnavailableWarning, StorageError
from tokentoss.storage.default import default_storage
from tokentoss.storage.document import from_document, to_document
from tokentoss.storage.file import WRITE_TIMEOUT
from tokentoss.storage.locks import LockFileError, file_lock, lock_name
from tokentoss.storage.records import RecordStorage
from tokentoss.storage.token_data import grant_of
from tokentoss.util.folders import config_folder
from tokentoss.util.private_file import make_folder
from tokentoss.util.secret import Secret
from tokentoss.util.secret_text import secret_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tokentoss.storage.token_data import TokenData

logger = logging.getLogger(__name__)

Done = TypeVar("Done")
"""What an action returns."""

PART_LENGTH = 1000
"""Characters of an entry: Windows keeps at most 2,560 bytes in one, in UTF-16."""

INDEX = "index"
"""Name of the entry that says which entries hold the tokens."""


class KeyringStorage(RecordStorage):
    """Keeps the tokens of all accounts in the keyring of the operating system.

    The keyring is tried out at once, by writing, reading and deleting an entry. Where that fails, and
    on servers without a desktop it does, tokens go to a file instead, and a warning says so.

    Args:
        service: Name under which the entries are filed.
        fallback: The storage to use if there is no keyring; by default a :class:`FileStorage`,
            or memory where there is no home folder.

    Attributes:
        fallback: The storage that is used instead, or None if the keyring is in use.

    Warns:
        KeyringUnavailableWarning: If there is no usable keyring.
    """

    def __init__(self, service: str = "tokentoss", fallback: RecordStorage | None = None) -> None:
        super().__init__()
        self.service = service
        self.fallback: RecordStorage | None = None
        try:
            self._keyring = _tried_out(service)
        except _NoKeyringError as failure:
            self.fallback = fallback if fallback is not None else default_storage()
            warnings.warn(
                f"There is no usable keyring here ({failure}): tokens are kept in {self.fallback!r} instead.",
                KeyringUnavailableWarning,
                stacklevel=2,
            )

    def __repr__(self) -> str:
        if self.fallback is not None:
            return f"KeyringStorage({self.service!r}, fallback={self.fallback!r})"
        return f"KeyringStorage({self.service!r})"

    def clear(self) -> None:
        """Remove the tokens of all accounts.

        Raises:
            StorageError: If they cannot be removed.
        """
        if self.fallback is not None:
            self.fallback.clear()
            return
        with self._lock, self._exclusively():
            self._reported("storage_unwritable", partial(self._replace, []))

    @contextmanager
    def renewing(self, tokens: TokenData, timeout: float) -> Iterator[None]:
        """Take the account's turn to renew, among all processes of this user on this machine.

        Raises:
            TimeoutError: If another holder keeps it for longer than ``timeout`` seconds.
        """
        if self.fallback is not None:
            with self.fallback.renewing(tokens, timeout):
                yield
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self._lock_path(grant_of(tokens)), timeout))
            except TimeoutError:
                raise
            except (OSError, StorageError) as failure:
                # The keyring can be written without a home folder, so threads are kept apart all the same.
                logger.warning("renewing without a lock file for %s: %s", self._name, type(failure).__name__)
                stack.enter_context(super().renewing(tokens, timeout))
            yield

    def _read(self) -> list[TokenData]:
        if self.fallback is not None:
            return self.fallback.load_all()
        # A writer replaces the index before it deletes the parts of the old one, so a second look suffices.
        parts: list[Secret | None] = []
        for _ in range(3):
            found = self._reported("storage_unreadable", self._parts)
            if found is None:
                return []
            parts = found
            if None not in parts:
                break
        try:
            return from_document("".join(part or "" for part in parts))
        except ValueError:
            # The parser's frames hold the content, so this error is not made from its own.
            pass
        raise StorageError(code="storage_corrupt", subject=self._name)

    def _write(self, records: list[TokenData]) -> None:
        if self.fallback is not None:
            self.fallback._write(records)  # noqa: SLF001 - of the same family
            return
        self._reported("storage_unwritable", partial(self._replace, records))

    def _read_to_add(self) -> list[TokenData]:
        if self.fallback is not None:
            return self.fallback._read_to_add()  # noqa: SLF001 - of the same family
        try:
            return self._read()
        except StorageError as failure:
            if failure.code != "storage_corrupt":
                raise
        logger.warning("%s did not hold tokens; they are replaced", self._name)
        return []

    def _remove_one(self, tokens: TokenData, *, only_same: bool) -> bool:
        if self.fallback is not None:
            return self.fallback._remove_one(tokens, only_same=only_same)  # noqa: SLF001 - the same
        return super()._remove_one(tokens, only_same=only_same)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        if self.fallback is not None:
            with self.fallback._exclusively():  # noqa: SLF001 - of the same family
                yield
            return
        try:
            with file_lock(self._lock_path(), WRITE_TIMEOUT):
                yield
        except LockFileError as failure:
            subject = f"{failure.filename} ({failure.strerror})"
            raise StorageError(code="storage_lock_unusable", subject=subject) from failure
        except (TimeoutError, OSError) as failure:
            raise StorageError(code="storage_unwritable", subject=f"{self._name} (lock file)") from failure

    @property
    def _name(self) -> str:
        return f"the keyring ({self.service})"

    def _lock_path(self, grant: tuple[str, ...] = ()) -> Path:
        folder = config_folder()
        make_folder(folder, private=True)
        return folder / lock_name(f"keyring-{self.service}", grant)

    def _index(self) -> dict[str, Any] | None:
        text = self._keyring.get_password(self.service, INDEX)
        if text is None:
            return None
        try:
            index = json.loads(text)
            if isinstance(index["generation"], str) and isinstance(index["parts"], int):
                return {"generation": index["generation"], "parts": index["parts"]}
        except (ValueError, KeyError, TypeError):
            pass
        raise StorageError(code="storage_corrupt", subject=self._name)

    def _index_if_readable(self) -> dict[str, Any] | None:
        try:
            return self._index()
        except StorageError:
            # Which entries it named is lost; nobody reads them.
            return None

    def _delete(self, name: str) -> None:
        if self._keyring.get_password(self.service, name) is not None:
            self._keyring.delete_password(self.service, name)

    def _delete_parts(self, index: dict[str, Any] | None) -> None:
        for name in _part_names(index) if index is not None else []:
            self._delete(name)

    def _parts(self) -> list[Secret | None] | None:
        index = self._index()
        if index is None:
            return None
        return [secret_or_none(self._keyring.get_password(self.service, name)) for name in _part_names(index)]

    def _replace(self, records: list[TokenData]) -> None:
        before = self._index_if_readable()
        if not records:
            self._delete(INDEX)
            self._delete_parts(before)
            return
        text = to_document(records)
        parts = [Secret(text[start : start + PART_LENGTH]) for start in range(0, len(text), PART_LENGTH)]
        index = {"generation": secrets.token_hex(4), "parts": len(parts)}
        for name, part in zip(_part_names(index), parts, strict=True):
            # A backend that passes it on to another process needs the plain text.
            self._keyring.set_password(self.service, name, str(part))
        # From here on readers see the new tokens; until here they saw the old ones.
        self._keyring.set_password(self.service, INDEX, json.dumps(index))
        self._delete_parts(before)

    def _reported(self, code: str, action: Callable[[], Done]) -> Done:
        try:
            return action()
        except StorageError:
            raise
        except Exception as failure:  # noqa: BLE001 - backends raise whatever they like
            kind = type(failure).__name__
        # Not made from the backend's error, whose text and frames may hold what was to be written.
        raise StorageError(code=code, subject=f"{self._name} ({kind})")


class _NoKeyringError(Exception):
    """The keyring cannot be used; the text says why."""


def _tried_out(service: str) -> Any:
    try:
        import keyring  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise _NoKeyringError('keyring is not installed: pip install "tokentoss[keyring]"') from None
    name, value = f"probe-{secrets.token_hex(4)}", secrets.token_hex(PART_LENGTH // 2)
    try:
        backend = keyring.get_keyring()
        # Below 1 are backends that their authors do not recommend, such as a plain file.
        if backend.priority < 1:
            raise _NoKeyringError(f"only {type(backend).__name__}, which is not recommended")
        backend.set_password(service, name, value)
        try:
            if backend.get_password(service, name) != value:
                raise _NoKeyringError(f"{type(backend).__name__} does not give back what it is given")
        finally:
            with suppress(Exception):
                backend.delete_password(service, name)
        if backend.get_password(service, name) is not None:
            raise _NoKeyringError(f"{type(backend).__name__} does not delete")
    except _NoKeyringError:
        raise
    except Exception as failure:  # noqa: BLE001 - backends raise whatever they like
        raise _NoKeyringError(type(failure).__name__) from None
    return backend


def _part_names(index: dict[str, Any]) -> list[str]:
    return [f"tokens-{index['generation']}-{number}" for number in range(index["parts"])]
