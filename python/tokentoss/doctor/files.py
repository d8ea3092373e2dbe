"""Where things are stored, and who may read them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tokentoss.config.client_config import CLIENT_SECRETS_VARIABLE, configured_path
from tokentoss.doctor.finding import Finding
from tokentoss.exceptions import StorageError
from tokentoss.session.session import Session
from tokentoss.storage import FileStorage
from tokentoss.storage.file import TOKEN_FILE_VARIABLE
from tokentoss.util.private_file import followed

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = 0o077
_FILE_MODE = 0o600


def place_findings() -> list[Finding]:
    """Return the files of this user, with their modes."""
    findings: list[Finding] = []
    folders: list[Path] = []
    try:
        client, client_is_named = configured_path()
        findings.append(_file("client", client, CLIENT_SECRETS_VARIABLE if client_is_named else ""))
        folders += [] if client_is_named else [client.parent]
    except StorageError as failure:
        findings.append(Finding("client", None, "error", failure.in_english()))
    try:
        storage = FileStorage()
    except StorageError as failure:
        return [*findings, Finding("tokens", None, "error", failure.in_english())]
    variable = TOKEN_FILE_VARIABLE if os.environ.get(TOKEN_FILE_VARIABLE) else ""
    findings.append(_file("tokens", storage.path, variable, is_token_file=True))
    findings += [_folder(folder) for folder in dict.fromkeys([storage.path.parent, *folders])]
    return [*findings, *_locks(storage), *_accounts(storage)]


def _file(name: str, path: Path, variable: str, *, is_token_file: bool = False) -> Finding:
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
        return _link(name, path, where, is_token_file=is_token_file)
    if not stat.S_ISREG(status.st_mode):
        return Finding(name, str(path), "error", f"{where}: not a file", "Move it away.")
    return _permissions(name, path, where, status, _FILE_MODE)


def _link(name: str, path: Path, where: str, *, is_token_file: bool) -> Finding:
    """Describe a link, which is read; tokens are kept behind one that others cannot have made."""
    try:
        target = followed(path) if is_token_file else path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError) as failure:
        reason = getattr(failure, "strerror", None) or "is a circle of symbolic links"
        hint = "Remove the link, or make it again yourself, to a file that exists."
        return Finding(name, str(path), "error", f"{where}: {reason}", hint)
    if not os.access(target, os.R_OK):
        return Finding(name, str(path), "error", f"{where}: a symbolic link to {target}, not readable")
    if is_token_file:
        return _permissions(name, target, f"{where}: a symbolic link to {target}", status, _FILE_MODE)
    return Finding(name, str(path), "note", f"{where}: a symbolic link to {target}, readable")


def _locks(storage: FileStorage) -> list[Finding]:
    """Return the lock files beside the tokens that this user cannot take."""
    hint = "Delete it, or ask its owner to: without it nothing is stored."
    try:
        beside = sorted(storage.path.parent.glob(f"{storage.path.name}*.lock"))
    except OSError:
        return []
    return [
        Finding("lock", str(path), "error", f"{path}: belongs to another user, or cannot be written", hint)
        for path in beside
        if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK | os.W_OK)
    ]


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
    # What an administrator put in place is read as well.
    if status.st_uid not in ({os.geteuid(), 0} if wanted == _FILE_MODE else {os.geteuid()}):
        return Finding(name, str(path), "error", f"{text}, of another user", "Make it belong to yourself.")
    if mode & _OTHERS:
        return Finding(name, str(path), "warning", f"{text}, open to others", f"Run chmod {wanted:o} {path}")
    return Finding(name, str(path), text=f"{text}, yours alone")


def _accounts(storage: FileStorage) -> list[Finding]:
    try:
        stored = storage.load_all()
    except StorageError as failure:
        return [Finding("accounts", None, "error", failure.in_english())]
    signed_in = sum(Session.of(tokens).is_signed_in for tokens in stored)
    expired = len(stored) - signed_in
    text = f"{signed_in} signed in" if signed_in else "nobody is signed in"
    if expired:
        text += f", {expired} expired"
    if stored:
        text += "; `tokentoss status` tells more"
    return [Finding("accounts", signed_in, "ok" if signed_in else "note", text)]
