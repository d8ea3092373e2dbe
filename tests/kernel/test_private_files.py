"""The token files withstand racing readers, other users and planted links (C69)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from tokentoss import FileStorage, StorageError, TokenData

from kernel import folder_reader
from kernel.people import manager_at, sign_in

NOBODY = 65534
ENOUGH = 100
VICTIM = "what another program keeps here"


def tokens(number):
    filling = f"{number}-" * 20_000
    return TokenData(f"access-{filling}", "", f"refresh-{filling}", "2030-01-01T00:00:00+00:00", ["openid"])


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def public_folder():
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="tokentoss-kernel-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Findings:
    """What a reader of the folder has printed so far."""

    def __init__(self, process):
        self.lines = []
        self._process = process
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def last(self, word):
        numbers = [int(line.split()[1]) for line in self.lines if line.startswith(f"{word} ")]
        return numbers[-1] if numbers else 0

    def complaints(self):
        return sorted({line for line in self.lines if line.split()[0] not in {"seen", "looked"}})

    def join(self):
        self._reader.join()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.strip())


@contextmanager
def watching(folder, user):
    with subprocess.Popen(
        [sys.executable, folder_reader.__file__, str(folder), str(user)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        findings = Findings(process)
        yield findings
        assert process.poll() is None, "the reader of the folder ended"
        process.stdin.close()
        findings.join()


def save_until(path, condition):
    """Two writers, each with its own storage, until the watcher has seen enough."""
    stop = threading.Event()
    failures = []

    def write(first):
        storage = FileStorage(path)
        number = first
        try:
            while not stop.is_set():
                storage.save(tokens(number))
                number += 2
                if number % 50 < 2:
                    storage.clear()
        except BaseException as failure:
            failures.append(failure)
            raise

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    try:
        while not condition() and not failures:
            writers[0].join(0.01)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert failures == []


def test_no_reader_sees_an_open_or_partial_file(tmp_path, open_umask):
    path = tmp_path / "tokentoss" / "tokens.json"
    with watching(path.parent, os.geteuid()) as findings:
        save_until(path, lambda: findings.last("seen") >= ENOUGH)
    assert findings.complaints() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("folder_exists", [False, True])
def test_another_user_never_reads_a_byte(public_folder, open_umask, folder_exists):
    folder = public_folder / "tokentoss"
    if folder_exists:
        folder.mkdir(mode=0o755)
    with watching(folder, NOBODY) as findings:
        save_until(folder / "tokens.json", lambda: findings.last("looked") >= 5000)
    # The user made an open folder; what is in it is closed all the same.
    allowed = {"open tokentoss 755"} if folder_exists else set()
    assert set(findings.complaints()) <= allowed


def files_of_a_life(provider, folder):
    """Names of all files that signing in, renewing and signing out leave or keep in the folder."""
    names = set()
    manager = manager_at(provider, storage=FileStorage(folder / "tokens.json"))
    # A user of its own: a sign-out reaches every manager of its user.
    for step in (lambda: sign_in(manager, "lives-once"), manager.refresh_tokens, manager.clear):
        step()
        names |= {path.name for path in folder.iterdir()}
    return names


# The victim is open to others, as files of other programs are; here only its content counts.
@pytest.mark.filterwarnings("ignore::tokentoss.InsecureFilePermissionsWarning")
def test_a_link_in_the_place_of_any_file_destroys_nothing(provider, tmp_path, open_umask):
    """A link in place of any token file leaves its target unchanged."""
    names = files_of_a_life(provider, tmp_path / "first")
    assert "tokens.json" in names
    for number, name in enumerate(sorted(names)):
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700)
        victim = tmp_path / f"victim-{number}"
        victim.write_text(VICTIM)
        victim.chmod(0o644)
        (folder / name).symlink_to(victim)
        manager = sign_in(manager_at(provider, storage=FileStorage(folder / "tokens.json")))
        manager.refresh_tokens()
        assert manager.id_token, "the user is signed in all the same"
        assert (folder / name).is_symlink(), name
        assert victim.read_text() == VICTIM, name
        assert stat.S_IMODE(victim.stat().st_mode) == 0o644, name
        if name == "tokens.json":
            assert isinstance(manager.last_error, StorageError)


def test_a_dangling_link_creates_nothing(provider, tmp_path, open_umask):
    for number, name in enumerate(sorted(files_of_a_life(provider, tmp_path / "first"))):
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700)
        target = tmp_path / f"target-{number}"
        (folder / name).symlink_to(target)
        sign_in(manager_at(provider, storage=FileStorage(folder / "tokens.json"))).refresh_tokens()
        assert not target.exists(), name
