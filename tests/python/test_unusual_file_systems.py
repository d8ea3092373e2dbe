"""Unusual home folders, folders and file systems."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
import tokentoss
from test_storage import ORIGINAL_FILE, TOKENS
from tokentoss import (
    ClientConfig,
    ClientSecretsNotFoundError,
    ConfigurationError,
    FileStorage,
    InsecureFilePermissionsWarning,
    MemoryStorage,
    ServiceCredentials,
    StorageError,
)
from tokentoss.cli import main
from tokentoss.exceptions import TokensInMemoryWarning
from tokentoss.storage import OneAccountStorage, default, default_storage, locks
from tokentoss.storage.base import AccountStorage
from tokentoss.util import private_file

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "folder" / "tokens.json")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="tokentoss-odd-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


PRELUDE = """
import os, sys, warnings, encodings.idna, fcntl, filelock, platformdirs.unix
from tokentoss import FileStorage, MemoryStorage, StorageError, TokenData
from tokentoss.storage import default_storage
os.setgroups([]); os.setgid({user}); os.setuid({user})
warnings.simplefilter("always")
tokens = TokenData("a", "i", "r", "2030-01-01T00:00:00+00:00", [])
"""


def as_user(user: int, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python as another user, who may not be able to read its library, in a folder, without a HOME."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE.format(user=user) + code],
        cwd=folder,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


SAVES = """
try:
    FileStorage("tokens.json").save(tokens)
except StorageError as failure:
    print(failure.code, failure)
"""


# No home


def no_home_raises(*_: object) -> str:
    raise RuntimeError("Could not determine home directory.")


@pytest.fixture(params=[lambda *_: "~/.config/tokentoss", no_home_raises], ids=["unexpanded", "raises"])
def homeless(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    """platformdirs 4.3.6 answers with a relative folder, 4.14 raises."""
    monkeypatch.setattr(platformdirs, "user_config_dir", request.param)
    monkeypatch.chdir(tmp_path)
    default._memory.cache_clear()
    yield tmp_path
    default._memory.cache_clear()


def test_without_a_home_tokens_stay_in_memory_with_one_sentence(homeless: Path) -> None:
    """Without a home folder, tokens stay in memory, with one warning per process (F14)."""
    with pytest.warns(TokensInMemoryWarning) as warned:
        storage = default_storage()
    assert str(warned[0].message) == (
        "The tokens are kept in memory until this process ends. You have no home folder here to keep "
        "tokens and the client in. Set HOME, or name files in TOKENTOSS_TOKEN_FILE and "
        "TOKENTOSS_CLIENT_SECRETS."
    )
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_storage() is storage, "one sentence a process, and one place"
    storage.save(TOKENS)
    assert isinstance(storage, MemoryStorage)
    assert list(homeless.iterdir()) == []


def test_without_a_home_nothing_is_written_to_the_working_folder(
    homeless: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a home folder, commands report it and write no file (F14)."""
    with pytest.raises(StorageError) as refusal:
        tokentoss.configure("a", "b")
    assert refusal.value.code == "storage_home_missing"
    with pytest.raises(ClientSecretsNotFoundError, match="home folder"):
        ClientConfig.discover()
    for command in (["status"], ["sign-out"], ["doctor"]):
        assert main(command) == 1
        captured = capsys.readouterr()
        assert "You have no home folder here" in " ".join((captured.out + captured.err).split())
    (homeless / "client.json").write_text('{"installed": {"client_id": "id-1", "client_secret": "s"}}')
    monkeypatch.setenv("TOKENTOSS_CLIENT_SECRETS", str(homeless / "client.json"))
    monkeypatch.setattr("tokentoss.doctor.examination.network_findings", lambda *_: [])
    assert main(["doctor"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("Versions\n"), "all of it, with what is wrong at its place"
    assert "You have no home folder here" in " ".join(captured.out.split())
    assert captured.err == ""
    (homeless / "client.json").unlink()
    assert list(homeless.iterdir()) == []


def test_relative_paths_stay_after_a_chdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir(mode=0o700)
    (first / "client.json").write_text('{"installed": {"client_id": "id-1", "client_secret": "s"}}')
    monkeypatch.chdir(first)
    storage, config = FileStorage("tokens.json"), ClientConfig.from_file("client.json")
    credentials = [ServiceCredentials(source) for source in ("key.json", "default", "~/key.json")]
    monkeypatch.chdir(second)
    storage.save(TOKENS)
    assert (first / "tokens.json").exists()
    assert list(second.iterdir()) == []
    assert config.source == first / "client.json"
    assert [one.source for one in credentials] == [str(first / "key.json"), "default", "~/key.json"]


@pytest.mark.skipif(os.name != "posix", reason="no such folder can be removed there")
def test_a_relative_path_below_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(StorageError) as refusal:
        FileStorage("tokens.json")
    assert refusal.value.code == "storage_path_invalid"
    with pytest.raises(ConfigurationError):
        ServiceCredentials("key.json")
    monkeypatch.chdir(tmp_path)


@as_root
def test_a_user_without_a_passwd_entry(public_folder: Path) -> None:
    """A user without a passwd entry gets tokens in memory, one warning and no files (F14)."""
    public_folder.chmod(0o777)
    done = as_user(
        54321, "default_storage().save(tokens); print(default_storage().load() == tokens)", public_folder
    )
    assert done.stdout == "True\n", done.stderr
    assert done.stderr.count("TokensInMemoryWarning") == 1
    assert list(public_folder.iterdir()) == []


@pytest.mark.parametrize("name", ["TOKENTOSS_TOKEN_FILE", "TOKENTOSS_CLIENT_SECRETS"])
def test_a_named_file_below_a_missing_home(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named file below an unknown user's ``~`` is refused with a message about the home folder (F14)."""
    monkeypatch.setenv(name, "~unknown-user-of-tests/file.json")
    with pytest.raises((StorageError, ClientSecretsNotFoundError), match="home folder"):
        FileStorage() if name == "TOKENTOSS_TOKEN_FILE" else ClientConfig.discover()


# Folders


def test_a_read_only_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: FileStorage) -> None:
    """A home that cannot be written gives one error with the path, and no files."""

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(StorageError, match="Read-only file system") as refusal:
        storage.save(TOKENS)
    assert refusal.value.code == "storage_unwritable"
    assert str(storage.path) in str(refusal.value)
    with storage.renewing(TOKENS, 1):
        pass
    assert storage.load() is None
    storage.clear()
    storage.remove(TOKENS)
    assert list(tmp_path.iterdir()) == []


@as_root
def test_a_folder_of_another_user(public_folder: Path) -> None:
    """In another user's folder, nothing is stored, and the error gives the path."""
    done = as_user(NOBODY, SAVES, public_folder)
    said = f"storage_unwritable Couldn't write {public_folder / 'tokens.json'} (Permission denied)."
    assert done.stdout.startswith(said), done
    assert list(public_folder.iterdir()) == []


def test_folders_are_made_closed_whatever_the_umask() -> None:
    """New folders have mode 0700, whatever the umask (E12)."""
    before = os.umask(0)
    try:
        FileStorage().save(TOKENS)
    finally:
        os.umask(before)
    home = Path(os.environ["HOME"])
    for folder in (home, home / ".config", home / ".config" / "tokentoss"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_folder_in_which_others_may_replace_the_file(storage: FileStorage) -> None:
    """A token folder that others may write to gives a warning, or an error with refuse_insecure (S16)."""
    storage.save(TOKENS)
    storage.path.parent.chmod(0o777)
    with pytest.warns(InsecureFilePermissionsWarning) as warned:
        assert storage.load() == TOKENS
    folder = storage.path.parent
    assert str(warned[0].message) == (
        f"Others may replace the token file in {folder} (mode 0777): run chmod go-w {folder}"
    )
    with pytest.raises(StorageError) as refusal:
        FileStorage(storage.path, refuse_insecure=True).load()
    assert refusal.value.code == "storage_folder_insecure"
    # Others cannot replace the files of a user there.
    storage.path.parent.chmod(0o1777)
    assert storage.load() == TOKENS


# What stays behind


def with_leftovers(storage: FileStorage) -> FileStorage:
    storage.path.parent.mkdir()
    storage.path.write_text("refresh-1, and not JSON")
    storage.path.chmod(0o644)
    storage.save(TOKENS)
    (storage.path.parent / ".tokens.json.fresh.tmp").write_text("refresh-1")
    (aside,) = storage.path.parent.glob("tokens.json.corrupt-*")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600, "E12: set-aside files kept 0644"
    return storage


@pytest.mark.parametrize("sign_out", [FileStorage.clear, lambda storage: storage.remove(TOKENS)])
def test_no_refresh_token_stays_after_a_sign_out(
    storage: FileStorage, sign_out: Callable[[FileStorage], None]
) -> None:
    """A sign-out removes set-aside and temporary files as well (S16)."""
    sign_out(with_leftovers(storage))
    assert [path.name for path in storage.path.parent.iterdir()] == ["tokens.json.lock"]


def test_leftovers_go_even_where_no_file_is_left(storage: FileStorage) -> None:
    """Removing tokens deletes the leftover files even if the token file is gone (S16)."""
    with_leftovers(storage).path.unlink()
    storage.remove(TOKENS)
    assert [path.name for path in storage.path.parent.iterdir()] == ["tokens.json.lock"]


def test_other_accounts_stay(storage: FileStorage) -> None:
    """Removing one account deletes the leftover files and keeps the other account (S16)."""
    other = replace(TOKENS, issuer="https://a.example", subject="other", client_id="c")
    with_leftovers(storage).save(other)
    storage.remove(TOKENS)
    assert storage.load_all() == [other]
    assert {path.name for path in storage.path.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}


# Links


@pytest.fixture
def linked(storage: FileStorage, tmp_path: Path) -> FileStorage:
    """As in a folder of settings that is kept elsewhere."""
    target = tmp_path / "persistent" / "kept.json"
    target.parent.mkdir()
    target.write_text(ORIGINAL_FILE)
    target.chmod(0o600)
    storage.path.parent.mkdir()
    storage.path.symlink_to(target)
    return storage


def test_a_link_of_the_user_is_followed(linked: FileStorage) -> None:
    """A link is followed, as version 0.1.1 did (E12)."""
    stored = linked.load()
    assert stored is not None
    assert stored.refresh_token == "r"
    linked.save(replace(TOKENS, issuer="https://a.example", subject="s", client_id="c"))
    assert len(linked.load_all()) == 2
    assert linked.path.is_symlink()
    assert FileStorage(linked.path.resolve()).load_all() == linked.load_all()
    linked.clear()
    assert (linked.exists(), linked.load_all(), linked.path.is_symlink()) == (False, [], True)
    assert "refresh-1" not in linked.path.read_text()
    linked.save(TOKENS)
    assert linked.exists()


def test_a_mounted_secret(tmp_path: Path) -> None:
    """A file behind two symbolic links, as Kubernetes mounts Secrets, can be read."""
    version = tmp_path / "..2026_11_27"
    version.mkdir()
    (version / "tokens.json").write_text(ORIGINAL_FILE)
    (version / "tokens.json").chmod(0o400)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "tokens.json").symlink_to("..data/tokens.json")
    tokens = FileStorage(tmp_path / "tokens.json").load()
    assert tokens is not None
    assert tokens.refresh_token == "r"


def test_a_link_to_something_else_changes_nothing(storage: FileStorage, tmp_path: Path) -> None:
    """A link to a file of another program is not written to (E12)."""
    victim = tmp_path / "victim"
    victim.write_text("what another program keeps here")
    victim.chmod(0o600)
    storage.path.parent.mkdir()
    storage.path.symlink_to(victim)
    with pytest.raises(StorageError) as refusal:
        storage.save(TOKENS)
    assert refusal.value.code == "storage_corrupt"
    storage.clear()
    assert victim.read_text() == "what another program keeps here"
    assert not storage.path.is_symlink()


@pytest.mark.parametrize("target", ["nowhere.json", "tokens.json"])
def test_a_link_to_nothing(storage: FileStorage, target: str) -> None:
    """Saving through a broken or circular symbolic link is refused (E12)."""
    storage.path.parent.mkdir()
    storage.path.symlink_to(target)
    with pytest.raises(StorageError, match="symbolic link") as refusal:
        storage.save(TOKENS)
    assert refusal.value.code == "storage_unwritable"


def test_a_link_where_others_may_write(linked: FileStorage) -> None:
    """A symbolic link in a folder that others may write to is refused (E12)."""
    linked.path.parent.chmod(0o777)
    with pytest.raises(StorageError, match="a folder that others may write to") as refusal:
        linked.load()
    assert refusal.value.code == "storage_unreadable"


# Locks


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    """Without file locks, tokens are stored, and the log says so once (F12)."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(locks, "_folders", {})
    storage.save(TOKENS)
    with storage.renewing(TOKENS, 1):
        storage.save(replace(TOKENS, access_token="second"))
        with pytest.raises(TimeoutError), storage.renewing(TOKENS, 0):
            pass
    tokens = storage.load()
    assert tokens is not None
    assert tokens.access_token == "second"
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == (
        f"{storage.path.parent} has no file locks ({os.strerror(number)}): "
        "processes that renew or store tokens at once are not kept apart"
    )


@as_root
def test_a_lock_file_of_another_user(public_folder: Path) -> None:
    """The error for another user's lock file names the lock file (E11)."""
    public_folder.chmod(0o777)
    lock = public_folder / "tokens.json.lock"
    lock.touch(0o600)
    done = as_user(NOBODY, SAVES, public_folder)
    assert done.stdout == (
        f"storage_lock_unusable Couldn't use the lock file {lock} (Permission denied: it belongs "
        "to another user), so nothing was stored. Delete it, or ask its owner to.\n"
    ), done


def test_clearing_waits_for_a_writer(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """clear() fails and removes nothing while the file is locked (E12)."""
    storage.save(TOKENS)
    monkeypatch.setattr("tokentoss.storage.file.WRITE_TIMEOUT", 0.0)
    with locks.file_lock(storage._lock_path(), 1), pytest.raises(StorageError, match="keeps it locked"):
        storage.clear()
    assert storage.load() == TOKENS


# Windows


class InUseError(PermissionError):
    winerror = 32


def test_a_file_that_windows_says_is_in_use(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write is repeated while Windows reports the file as in use (F18)."""
    storage.save(TOKENS)
    refusals = iter([InUseError("in use")] * 3)
    real = Path.replace

    def replace_file(path: Path, target: Path) -> Path:
        for refusal in refusals:
            raise refusal
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace_file)
    storage.save(replace(TOKENS, refresh_token="refresh-2"))
    tokens = storage.load()
    assert tokens is not None
    assert tokens.refresh_token == "refresh-2"


def test_a_file_that_stays_in_use(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays in use ends the attempts with the error storage_unwritable (F18)."""
    storage.save(TOKENS)

    def refuse(*_: object) -> None:
        raise InUseError(errno.EACCES, "in use")

    monkeypatch.setattr(private_file, "_IN_USE_PATIENCE", 0.0)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match="in use") as refusal:
        storage.save(TOKENS)
    assert refusal.value.code == "storage_unwritable"


# Size


def test_what_can_be_saved_can_be_loaded(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving and loading share one size limit, and a refused save keeps the old tokens (E4)."""
    storage.save(TOKENS)
    monkeypatch.setattr(private_file, "MAX_SIZE", storage.path.stat().st_size)
    assert storage.load() == TOKENS
    with pytest.raises(StorageError) as refusal:
        storage.save(replace(TOKENS, access_token="access-1 and more"))
    assert refusal.value.code == "storage_too_large"
    assert storage.load() == TOKENS
    with storage.path.open("a") as file:
        file.write(" ")
    with pytest.raises(StorageError) as unread:
        storage.load()
    assert str(unread.value) == (
        f"{storage.path} needs more than 64 MiB, which is the limit. Sign out of accounts "
        "that you no longer use, or move the file away."
    )


def test_thousands_of_accounts(storage: FileStorage) -> None:
    """A file of 5000 accounts can be written and read back (E4)."""
    many = [
        replace(TOKENS, id_token="x" * 1200, issuer="https://a.example", subject=f"{number}", client_id="c")
        for number in range(5000)
    ]
    storage._write(many)
    assert storage.load_all() == many


# Compare and remove


class OneSlot:
    """A storage of a user's own."""

    def __init__(self) -> None:
        self.tokens: tokentoss.TokenData | None = None

    def save(self, tokens: tokentoss.TokenData) -> None:
        self.tokens = tokens

    def load(self) -> tokentoss.TokenData | None:
        return self.tokens

    def clear(self) -> None:
        self.tokens = None

    def exists(self) -> bool:
        return self.tokens is not None


@pytest.mark.parametrize("make", [FileStorage, MemoryStorage, lambda: OneAccountStorage(OneSlot())])
def test_only_the_tokens_that_ended_are_removed(make: Callable[[], AccountStorage]) -> None:
    """Only exactly the given tokens are discarded, not newer ones of the account (P3)."""
    storage = make()
    fresh = replace(TOKENS, refresh_token="of a fresh sign-in")
    storage.save(fresh)
    assert not storage.discard(TOKENS)
    assert storage.load() == fresh
    assert storage.discard(fresh)
    assert not storage.exists()
