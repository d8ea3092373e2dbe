"""Tokens in the operating system's keyring, replaced by a backend in memory."""

from __future__ import annotations

import errno
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from fake_provider import Answer, FakeProvider
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError
from test_accounts import of
from tokentoss import (
    AuthManager,
    FileStorage,
    KeyringStorage,
    KeyringUnavailableWarning,
    MemoryStorage,
    StorageError,
)

Make = Callable[..., AuthManager]


class InMemory(KeyringBackend):
    """Like Windows' in that it takes only short entries, and refuses to delete what is not there."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken: set[str] = set()

    def set_password(self, service: str, username: str, password: str) -> None:
        if "set" in self.broken:
            raise NotImplementedError(password)
        assert len(password.encode("utf-16-le")) <= 2560
        self.entries[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        if "get" in self.broken:
            raise RuntimeError("no bus")
        return self.entries.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        if "delete" in self.broken:
            raise PasswordDeleteError("no")
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@pytest.fixture
def backend() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    stand_in = InMemory()
    keyring.set_keyring(stand_in)
    yield stand_in
    keyring.set_keyring(before)


def test_accounts_in_a_keyring(backend: InMemory, fake: FakeProvider) -> None:
    storage = KeyringStorage()
    assert storage.fallback is None
    assert backend.entries == {}, "nothing is left of the probe"
    ada, bob = of(fake, "ada"), of(fake, "bob")
    storage.save(ada)
    storage.save(bob)
    assert len(backend.entries) > 2, "long tokens are stored in parts"
    assert KeyringStorage().load_all() == [bob, ada]
    generations = {name.split("-")[1] for _, name in backend.entries if "-" in name}
    assert len(generations) == 1, "nothing is left of earlier tokens"
    assert not FileStorage().exists()
    storage.remove(bob)
    assert storage.load() == ada
    storage.clear()
    assert (storage.load(), backend.entries) == (None, {})
    storage.clear()


def test_services_are_apart(backend: InMemory, fake: FakeProvider) -> None:
    KeyringStorage("one").save(of(fake, "ada"))
    assert not KeyringStorage("two").exists()


def test_a_session_in_a_keyring(backend: InMemory, fake: FakeProvider, make_manager: Make) -> None:
    KeyringStorage().save(of(fake, "user-1", expires_in=-10))
    managers = [make_manager(storage=KeyringStorage()) for _ in range(2)]
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="rotated"))
    assert managers[0].id_token == managers[1].id_token
    assert fake.calls("/token") == 1
    managers[0].sign_out()
    assert backend.entries == {}
    assert not FileStorage().exists()


@pytest.mark.parametrize("way", ["set", "get", "delete", "fail", "null", "low", "missing"])
def test_without_a_usable_keyring_tokens_go_to_a_file_loudly(
    backend: InMemory, fake: FakeProvider, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "fail":
        keyring.set_keyring(keyring.backends.fail.Keyring())
    elif way == "null":
        keyring.set_keyring(keyring.backends.null.Keyring())
    elif way == "low":
        backend.priority = 0.5  # type: ignore[assignment]
    elif way == "missing":
        monkeypatch.setitem(sys.modules, "keyring", None)
    else:
        backend.broken.add(way)
    with pytest.warns(KeyringUnavailableWarning, match=r"tokens\.json") as warned:
        storage = KeyringStorage()
    assert warned[0].filename == __file__
    assert isinstance(storage.fallback, FileStorage)
    assert "FileStorage" in repr(storage)
    backend.broken.clear()
    ada = of(fake, "ada")
    storage.save(ada)
    assert FileStorage().load() == ada == storage.load()
    assert storage.replace(ada, ada)
    with storage.renewing(ada, 1):
        pass
    storage.remove(ada)
    assert not storage.exists()
    storage.save(ada)
    storage.clear()
    assert not FileStorage().exists()
    assert {name for _, name in backend.entries if not name.startswith("probe-")} == set()


def test_another_fallback(backend: InMemory) -> None:
    backend.broken.add("set")
    memory = MemoryStorage()
    with pytest.warns(KeyringUnavailableWarning):
        assert KeyringStorage(fallback=memory).fallback is memory


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("failure", ["read-only", "homeless"])
def test_renewing_where_no_lock_file_can_be_made(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a lock file, renewals of one process still exclude each other (P9)."""

    def fails(*_: object, **__: object) -> None:
        if failure == "read-only":
            raise OSError(errno.EROFS, "Read-only file system")
        raise StorageError(code="storage_home_missing")

    storage = KeyringStorage()
    monkeypatch.setattr("tokentoss.storage.keyring.make_folder", fails)
    ada = of(fake, "ada")
    with storage.renewing(ada, 1), pytest.raises(TimeoutError), storage.renewing(ada, 0):
        pass
    assert "renewing without a lock file for the keyring (tokentoss)" in caplog.text
    with pytest.raises(StorageError):
        storage.save(ada)


def test_only_the_tokens_that_ended_are_removed(backend: InMemory, fake: FakeProvider) -> None:
    """Only exactly the given tokens are discarded, not newer ones of the same account (P3)."""
    storage = KeyringStorage()
    ada, fresh = of(fake, "ada"), of(fake, "ada", refresh_token="of a fresh sign-in")
    storage.save(fresh)
    assert not storage.discard(ada)
    assert storage.load() == fresh
    assert storage.discard(fresh)
    assert storage.load() is None


def test_the_fallback_removes_what_it_set_aside(backend: InMemory, fake: FakeProvider) -> None:
    """Removing tokens from the fallback file also deletes the set-aside corrupt file (S16)."""
    backend.broken.add("set")
    with pytest.warns(KeyringUnavailableWarning):
        storage = KeyringStorage()
    path = FileStorage().path
    path.parent.mkdir(parents=True)
    path.write_text("a refresh token, but not JSON")
    storage.save(of(fake, "ada"))
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1
    storage.remove(of(fake, "ada"))
    assert [one.name for one in path.parent.iterdir()] == ["tokens.json.lock"]


def test_a_keyring_that_breaks_later(backend: InMemory, fake: FakeProvider) -> None:
    storage = KeyringStorage()
    ada = of(fake, "ada")
    storage.save(ada)
    backend.broken.add("set")
    with pytest.raises(StorageError) as unwritable:
        storage.save(of(fake, "bob"))
    assert unwritable.value.code == "storage_unwritable"
    assert "refresh of" not in str(unwritable.value)
    assert unwritable.value.__cause__ is None
    assert storage.load() == ada, "what was stored stays"
    backend.broken.add("get")
    with pytest.raises(StorageError) as unreadable:
        storage.load()
    assert unreadable.value.code == "storage_unreadable"


@pytest.mark.parametrize(
    "index", ["", "{", "[]", '{"generation": 1, "parts": 1}', '{"generation": "x", "parts": 2}']
)
def test_entries_that_are_no_tokens(backend: InMemory, index: str, fake: FakeProvider) -> None:
    storage = KeyringStorage()
    backend.entries["tokentoss", "index"] = index
    with pytest.raises(StorageError) as refusal:
        storage.load()
    assert refusal.value.code == "storage_corrupt"
    assert "keyring" in str(refusal.value)
    ada = of(fake, "ada")
    storage.save(ada)
    assert storage.load_all() == [ada], "a sign-in takes their place"
    backend.entries["tokentoss", "index"] = index
    storage.clear()
    assert ("tokentoss", "index") not in backend.entries
    assert storage.load() is None


def test_readers_see_old_or_new_tokens(backend: InMemory, fake: FakeProvider) -> None:
    storage = KeyringStorage()
    candidates = [of(fake, "ada", access_token=f"{number}" * 1500) for number in range(3)]
    storage.save(candidates[0])
    stop = threading.Event()
    seen: list[Any] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(storage.load())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        storage.save(candidates[number % 3])
    stop.set()
    reader.join()
    assert all(tokens in candidates for tokens in seen)


def test_no_warning_with_a_keyring(backend: InMemory) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(KeyringStorage()) == "KeyringStorage('tokentoss')"
