from __future__ import annotations

import json
import os
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tokentoss import FileStorage, InsecureFilePermissionsWarning, MemoryStorage, StorageError, TokenData

TOKENS = TokenData(
    "access-1", "id-1", "refresh-1", "2030-01-01T00:00:00+00:00", ["openid"], "ada@example.com"
)

ORIGINAL_FILE = """{
  "access_token": "a", "id_token": "b.c.d", "refresh_token": "r",
  "expiry": "2030-01-01T00:00:00+00:00", "scopes": ["openid"],
  "user_email": "ada@example.com", "created_at": "2026-01-01T00:00:00.123456+00:00"
}"""


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "folder" / "tokens.json")


@pytest.mark.parametrize("make", [MemoryStorage, FileStorage])
def test_save_load_clear(make: type) -> None:
    storage = make()
    assert not storage.exists()
    assert storage.load() is None
    storage.save(TOKENS)
    assert storage.exists()
    assert storage.load() == TOKENS
    storage.clear()
    assert storage.load() is None
    storage.clear()


def test_the_default_file_is_private_whatever_the_umask() -> None:
    """The token file and its folder are private even with umask 0 and an open folder (C69)."""
    before = os.umask(0)
    try:
        storage = FileStorage()
        storage.path.parent.parent.mkdir(parents=True)
        storage.path.parent.mkdir(mode=0o755)  # as version 0.1.1 left it
        storage.save(TOKENS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(storage.path.stat().st_mode) == FileStorage.SECURE_PERMISSIONS
    assert stat.S_IMODE(storage.path.parent.stat().st_mode) == 0o700


def test_no_reader_ever_sees_an_open_or_partial_file(storage: FileStorage) -> None:
    """A racing reader never sees a partial file or open permissions (C69)."""
    before = os.umask(0)
    seen: list[str] = []
    stop = threading.Event()
    storage.save(TOKENS)

    def race() -> None:
        while not stop.is_set():
            for path in storage.path.parent.iterdir():
                try:
                    status = path.stat()
                    if stat.S_IMODE(status.st_mode) & 0o077:
                        seen.append(f"{path.name} {status.st_mode:o}")
                    if path == storage.path:
                        assert len(json.loads(path.read_text())["accounts"]) == 1
                except FileNotFoundError:
                    continue
                except ValueError as failure:
                    seen.append(str(failure))

    racer = threading.Thread(target=race)
    racer.start()
    try:
        for number in range(200):
            storage.save(replace(TOKENS, access_token="x" * number))
    finally:
        stop.set()
        racer.join()
        os.umask(before)
    assert seen == []


def test_a_file_of_the_original_loads(storage: FileStorage) -> None:
    storage.path.parent.mkdir()
    storage.path.write_text(ORIGINAL_FILE)
    storage.path.chmod(0o600)
    tokens = storage.load()
    assert tokens is not None
    assert (tokens.refresh_token, tokens.issuer, tokens.signature_checked) == ("r", None, True)
    assert tokens.created_at_datetime is not None
    assert not tokens.is_expired


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_may_access_warns(storage: FileStorage, mode: int) -> None:
    """A token file that others may access is read with a warning to run chmod 600 (C69)."""
    storage.save(TOKENS)
    storage.path.chmod(mode)
    with pytest.warns(InsecureFilePermissionsWarning, match="chmod 600"):
        assert storage.load() == TOKENS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token file that belongs to another user is refused (C69)."""
    storage.save(TOKENS)
    os.chown(storage.path, 12345, 12345)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StorageError, match="another user") as refusal:
        storage.load()
    assert refusal.value.code == "storage_unreadable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_planted_link_is_neither_read_nor_written(storage: FileStorage, tmp_path: Path) -> None:
    """A symbolic link of another user is neither read, written through, nor replaced (C69)."""
    victim = tmp_path / "victim"
    victim.write_text(ORIGINAL_FILE)
    storage.path.parent.mkdir()
    storage.path.symlink_to(victim)
    os.chown(storage.path, 12345, 12345, follow_symlinks=False)
    with pytest.raises(StorageError, match="a symbolic link of another user") as unread:
        storage.load()
    with pytest.raises(StorageError) as unwritten:
        storage.save(TOKENS)
    assert (unread.value.code, unwritten.value.code) == ("storage_unreadable", "storage_unwritable")
    assert victim.read_text() == ORIGINAL_FILE
    assert storage.path.is_symlink()


def test_what_is_no_regular_file_is_refused_without_waiting(storage: FileStorage) -> None:
    storage.path.parent.mkdir()
    os.mkfifo(storage.path)
    with pytest.raises(StorageError) as refusal:
        storage.load()
    assert refusal.value.code == "storage_unreadable"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"access_token": "secret-9"}',
        ORIGINAL_FILE.replace('"a"', "7"),
        ORIGINAL_FILE.replace("2030-01-01", "tomorrow"),
        ORIGINAL_FILE.replace("2026-01-01", "yesterday"),
        ORIGINAL_FILE.replace('["openid"]', '"openid"'),
        ORIGINAL_FILE.replace('"ada@example.com"', "[]"),
        "\x00" * 100,
        "[" * 5000,
    ],
)
def test_a_corrupt_file_is_named_and_never_lost(
    storage: FileStorage, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage.path.parent.mkdir()
    storage.path.write_text(content)
    storage.path.chmod(0o600)
    with pytest.raises(StorageError) as refusal:
        storage.load()
    assert refusal.value.code == "storage_corrupt"
    assert str(storage.path) in str(refusal.value)
    assert "secret-9" not in str(refusal.value)
    assert storage.path.read_text() == content
    storage.save(TOKENS)
    (aside,) = storage.path.parent.glob("tokens.json.corrupt-*")
    assert aside.read_text() == content
    assert str(aside) in caplog.text
    assert storage.load() == TOKENS


def test_a_failed_write_keeps_what_was_stored(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.save(TOKENS)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left") as refusal:
        storage.save(replace(TOKENS, access_token="other"))
    assert refusal.value.code == "storage_unwritable"
    assert storage.load() == TOKENS
    assert list(storage.path.parent.glob(".*")) == []


def test_leftovers_of_a_crash_are_removed(storage: FileStorage) -> None:
    storage.save(TOKENS)
    old, fresh = (storage.path.parent / f".tokens.json.{name}.tmp" for name in ("old", "fresh"))
    for path in (old, fresh):
        path.write_text("secret")
    past = time.time() - 3600
    os.utime(old, (past, past))
    storage.save(TOKENS)
    assert not old.exists()
    assert not fresh.exists(), "S16: nobody else writes while the lock is held"


def test_many_threads_leave_one_complete_file(storage: FileStorage) -> None:
    candidates = [replace(TOKENS, access_token=f"access-{number}" * 200) for number in range(8)]
    threads = [
        threading.Thread(target=lambda one=one: [storage.save(one) for _ in range(20)]) for one in candidates
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.load() in candidates
    assert {path.name for path in storage.path.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}
