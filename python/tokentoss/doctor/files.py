"""Where things are stored, and who may read them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tokentoss.config.client_config import CLIENT_SECRETS_VARIABLE, configured_path
from tokentoss.doctor.finding import Finding
from tokentoss.exceptions import StorageError
from tokentoss.storage import FileStorage
from tokentoss.storage.file import TOKEN_FILE_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = 0o077


def place_findings() -> list[Finding]:
    """Return the files of this user, with their modes."""
    client, client_is_named = configured_path()
    storage = FileStorage()
    findings = [
        _file("client", client, CLIENT_SECRETS_VARIABLE if client_is_named else ""),
        _file("tokens", storage.path, TOKEN_FILE_VARIABLE if os.environ.get(TOKEN_FILE_VARIABLE) else ""),
    ]
    folders = dict.fromkeys(
        [storage.path.parent, client.parent] if not client_is_named else [storage.path.parent]
    )
    findings += [_folder(folder) for folder in folders]
    return [*findings, *_accounts(storage)]


def _file(name: str, path: Path, variable: str) -> Finding:
    where = f"{path} (named by {variable})" if variable else str(path)
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Finding(name, str(path), "note", f"{where}: not there yet")
    except OSError as failure:
        return Finding(
            name, str(path), "error", f"{where}: {failure.strerror}", "Make it readable for yourself."
        )
    if stat.S_ISLNK(status.st_mode):
        hint = "Replace the link by a file: links are not followed, so that nobody can redirect a secret."
        return Finding(name, str(path), "warning", f"{where}: a symbolic link", hint)
    if not stat.S_ISREG(status.st_mode):
        return Finding(name, str(path), "error", f"{where}: not a file", "Move it away.")
    return _permissions(name, path, where, status, 0o600)


def _folder(path: Path) -> Finding:
    try:
        status = path.stat()
    except OSError:
        return Finding("folder", str(path), "note", f"{path}: not there yet")
    if not os.access(path, os.W_OK | os.X_OK):
        hint = (
            "Make the folder writable for yourself, or name a token file elsewhere in TOKENTOSS_TOKEN_FILE."
        )
        return Finding("folder", str(path), "error", f"{path}: not writable", hint)
    return _permissions("folder", path, str(path), status, 0o700)


def _permissions(name: str, path: Path, where: str, status: os.stat_result, wanted: int) -> Finding:
    if os.name != "posix":
        return Finding(
            name, str(path), "note", f"{where}: protected by its folder's access control list, not checked"
        )
    mode = stat.S_IMODE(status.st_mode)
    text = f"{where}: mode {mode:04o}"
    if status.st_uid != os.geteuid():
        return Finding(name, str(path), "error", f"{text}, of another user", "Make it belong to yourself.")
    if mode & _OTHERS:
        return Finding(name, str(path), "warning", f"{text}, open to others", f"Run chmod {wanted:o} {path}")
    return Finding(name, str(path), text=f"{text}, yours alone")


def _accounts(storage: FileStorage) -> list[Finding]:
    try:
        stored = storage.load_all()
    except StorageError as failure:
        return [Finding("accounts", None, "error", str(failure))]
    text = f"{len(stored)} signed in; `tokentoss status` tells more" if stored else "nobody is signed in"
    return [Finding("accounts", len(stored), "ok" if stored else "note", text)]
