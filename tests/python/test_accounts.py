"""Several accounts side by side are told apart by issuer and subject (C59)."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider
from test_auth_manager import response, signed_in, stored
from test_storage import ORIGINAL_FILE
from tokentoss import (
    Account,
    AuthManager,
    AuthWidget,
    FileStorage,
    MemoryStorage,
    NoCredentialsError,
    StorageError,
    TokenData,
)
from tokentoss.storage import AccountStorage, OneAccountStorage, file, locks
from tokentoss.storage.token_data import iso_time

Make = Callable[..., AuthManager]


def of(fake: FakeProvider, user: str, **members: Any) -> TokenData:
    email = members.pop("user_email", f"{user}@example.com")
    named = {"access_token": f"access of {user}", "refresh_token": f"refresh of {user}", "user_email": email}
    return stored(fake, claims={"sub": user}, **(named | members))


def sign_in(manager: AuthManager, fake: FakeProvider, user: str, **members: Any) -> TokenData:
    token = fake.id_token(nonce="n", sub=user, email=f"{user}@example.com")
    return manager.accept(response(fake, id_token=token, **members), nonce="n")


@pytest.mark.parametrize("make", [MemoryStorage, FileStorage])
def test_accounts_side_by_side(make: Any, fake: FakeProvider) -> None:
    storage = make()
    assert isinstance(storage, AccountStorage)
    ada, bob = of(fake, "ada"), of(fake, "bob")
    storage.save(ada)
    storage.save(bob)
    assert storage.load_all() == [bob, ada]
    assert storage.load() == bob, "the latest sign-in is the default"
    newer = replace(ada, access_token="newer", refresh_token="rotated")
    assert storage.replace(ada, newer)
    assert storage.load_all() == [bob, newer], "a renewal changes no default"
    assert not storage.replace(ada, bob), "those are not stored any more"
    storage.remove(ada)
    assert storage.load_all() == [bob]
    storage.remove(ada)
    storage.remove(bob)
    assert not storage.exists()
    assert not storage.replace(bob, bob)


def test_one_file_serves_clients_and_providers(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    storage.save(of(fake, "ada", client_id="other-client"))
    storage.save(stored(fake, claims={"iss": "https://other.example", "sub": "ada"}))
    manager = make_manager(storage=storage)
    assert manager.accounts() == []
    sign_in(manager, fake, "ada")
    assert len(storage.load_all()) == 3
    assert [account.key for account in manager.accounts()] == [f"{fake.issuer}#ada"]
    manager.clear()
    assert len(storage.load_all()) == 2


def test_two_users_with_one_address_are_two_accounts(make_manager: Make, fake: FakeProvider) -> None:
    """Two subjects with one e-mail address are two accounts, and the address is ambiguous (C59)."""
    storage = FileStorage()
    for user in ("ada-1", "ada-2"):
        storage.save(of(fake, user, user_email="ada@example.com"))
    manager = make_manager(storage=storage)
    assert len(manager.accounts()) == 2
    with pytest.raises(NoCredentialsError) as refusal:
        manager.use_account("ada@example.com")
    assert refusal.value.code == "account_ambiguous"
    assert manager.use_account(f"{fake.issuer}#ada-1").subject == "ada-1"


def test_an_account_is_chosen_by_address_key_or_object(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    for user in ("ada", "bob"):
        storage.save(of(fake, user))
    assert make_manager(storage=storage).user_email == "bob@example.com"
    for name in ("ada@example.com", "ADA@Example.com", f"{fake.issuer}#ada"):
        assert make_manager(storage=storage, account=name).user_email == "ada@example.com"
    manager = make_manager(storage=storage)
    (bob, ada) = manager.accounts()
    assert manager.use_account(ada) == ada == manager.account
    assert tokentoss.CREDENTIALS is manager.credentials
    assert make_manager(storage=storage).user_email == "ada@example.com", "by default from now on"
    assert make_manager(storage=storage, account=bob).user_email == "bob@example.com"
    with pytest.raises(NoCredentialsError) as refusal:
        manager.use_account("eve@example.com")
    assert refusal.value.code == "account_unknown"
    assert "eve@example.com" in str(refusal.value)
    assert manager.user_email == "ada@example.com"
    storage.save(of(fake, "old", created_at=iso_time(time.time() - 99 * 3600)))
    with pytest.raises(NoCredentialsError) as expired:
        manager.use_account("old@example.com")
    assert expired.value.code == "session_expired"


class Shelves:
    """Several accounts, in a storage of the user's own that has no method to choose one by default."""

    def __init__(self) -> None:
        self._memory = MemoryStorage()
        names = ("save", "load", "clear", "exists", "load_all", "replace", "remove", "discard", "renewing")
        self.__dict__.update({name: getattr(self._memory, name) for name in names})


@pytest.mark.parametrize("make", [FileStorage, MemoryStorage, Shelves])
@pytest.mark.parametrize("meanwhile", ["renewed", "removed"])
def test_choosing_an_account_writes_no_old_tokens(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, make: Any, meanwhile: str
) -> None:
    """Choosing an account writes no old tokens over those of another process."""
    storage = make()
    old, new = of(fake, "ada"), of(fake, "ada", refresh_token="rotated")
    for tokens in (old, of(fake, "bob")):
        storage.save(tokens)
    manager = make_manager(storage=storage)
    real, again = manager._store.stored, iter([True])

    def stored() -> list[TokenData]:
        found = real()
        if next(again, False):
            assert storage.replace(old, new) if meanwhile == "renewed" else storage.discard(old)
        return found

    monkeypatch.setattr(manager._store, "stored", stored)
    if meanwhile == "renewed":
        assert manager.use_account("ada@example.com").email == "ada@example.com"
        assert [tokens.refresh_token for tokens in storage.load_all()] == ["rotated", "refresh of bob"]
        assert manager.token_data is not None
        assert manager.token_data.refresh_token == "rotated"
        return
    with pytest.raises(NoCredentialsError) as refusal:
        manager.use_account("ada@example.com")
    assert refusal.value.code == "account_unknown"
    assert [tokens.user_email for tokens in storage.load_all()] == ["bob@example.com"]
    assert manager.user_email == "bob@example.com"


def test_an_account_that_is_not_stored(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    storage.save(of(fake, "ada"))
    manager = make_manager(storage=storage, account="bob@example.com")
    assert not manager.is_authenticated
    assert isinstance(manager.last_error, NoCredentialsError)
    assert manager.last_error.code == "account_unknown"
    sign_in(manager, fake, "bob")
    assert (manager.user_email, manager.previous_user) == ("bob@example.com", None)


def test_a_renewal_of_one_account_leaves_the_others(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    storage.save(of(fake, "ada", expires_in=-10))
    storage.save(of(fake, "bob"))
    ada = make_manager(storage=storage, account="ada@example.com")
    fake.answers["/token"] = Answer.json(
        fake.token_response(refresh_token="rotated", id_token=fake.id_token(sub="ada"))
    )
    ada.refresh_tokens()
    assert [tokens.refresh_token for tokens in storage.load_all()] == ["refresh of bob", "rotated"]
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    with pytest.raises(tokentoss.ReauthRequiredError):
        ada.refresh_tokens()
    assert [tokens.refresh_token for tokens in storage.load_all()] == ["refresh of bob"]


def test_the_record_of_a_user(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [time.time()]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    storage = FileStorage()
    manager = make_manager(storage=storage)
    claims = {"nonce": "n", "name": "Ada Lovelace", "preferred_username": "ada"}
    manager.accept(response(fake, id_token=fake.id_token(**claims)), nonce="n")
    first = manager.account
    assert first is not None
    assert (first.subject, first.email, first.name, first.login) == (
        "user-1",
        "ada@example.com",
        "Ada Lovelace",
        "ada",
    )
    assert first.connected_at == first.updated_at
    moment[0] += 600
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager.refresh_tokens()
    renewed = manager.account
    assert renewed is not None
    assert (renewed.connected_at, renewed.name) == (first.connected_at, "Ada Lovelace")
    assert renewed.updated_at is not None
    assert first.updated_at is not None
    assert (renewed.updated_at - first.updated_at).total_seconds() == 600
    moment[0] += 600
    again = make_manager(storage=storage)
    sign_in(again, fake, "user-1", refresh_token=None)
    assert again.account is not None
    assert again.account.connected_at == first.connected_at, "a second sign-in is no second connection"
    assert again.token_data is not None
    assert again.token_data.refresh_token == "refresh-1", "the stored one goes on, also in another process"


@pytest.mark.parametrize("name", ["a\nb", "x" * 999, 7, "", None])
def test_names_that_are_no_names_are_left_out(make_manager: Make, fake: FakeProvider, name: Any) -> None:
    manager = make_manager()
    token = fake.key.sign(fake.claims(nonce="n", email=None) | {"name": name, "preferred_username": name})
    manager.accept(response(fake, id_token=token), nonce="n")
    assert manager.account == Account(
        fake.issuer,
        "user-1",
        connected_at=manager.account.connected_at,  # type: ignore[union-attr]
        updated_at=manager.account.updated_at,  # type: ignore[union-attr]
        client_id=CLIENT_ID,
    )
    assert manager.user_name == "user-1"


def test_a_different_user_is_said_plainly(
    make_manager: Make, fake: FakeProvider, caplog: pytest.LogCaptureFixture, recorded: None
) -> None:
    storage = FileStorage()
    storage.save(of(fake, "ada", expires_in=-10, refresh_token=""))
    manager = make_manager(storage=storage)
    widget = AuthWidget(auth_manager=manager)
    with caplog.at_level(logging.WARNING):
        sign_in(manager, fake, "bob")
    assert manager.previous_user == "ada@example.com"
    assert widget.status == "Signed in as bob@example.com, a different user than last time (ada@example.com)"
    assert "different user" in caplog.text
    caplog.clear()
    sign_in(manager, fake, "bob")
    assert (manager.previous_user, caplog.text) == (None, "")
    widget.sign_out()
    sign_in(manager, fake, "ada")
    assert (manager.previous_user, caplog.text) == (None, ""), "who signs out means to change"
    widget.close()


def test_a_different_user_than_asked_for(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(account="ada@example.com")
    sign_in(manager, fake, "bob")
    assert manager.previous_user == "ada@example.com"
    assert manager.is_authenticated


def test_a_file_of_the_original_is_taken_over(make_manager: Make, fake: FakeProvider) -> None:
    """A token file of version 0.1.1 is read, renewed and written in the new format."""
    storage = FileStorage()
    original = json.loads(ORIGINAL_FILE) | {"id_token": fake.id_token(), "created_at": iso_time(time.time())}
    storage.path.parent.mkdir(parents=True)
    storage.path.write_text(json.dumps(original))
    storage.path.chmod(0o600)
    manager = make_manager(storage=storage)
    assert manager.account is not None
    assert manager.account.key == f"{fake.issuer}#user-1"
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="rotated"))
    manager.refresh_tokens()
    document = json.loads(storage.path.read_text())
    assert (document["version"], len(document["accounts"])) == (2, 1)
    assert document["accounts"][0]["refresh_token"] == "rotated"
    assert (document["accounts"][0]["issuer"], document["accounts"][0]["client_id"]) == (
        fake.issuer,
        CLIENT_ID,
    )
    sign_in(manager, fake, "bob")
    assert len(manager.accounts()) == 2


@pytest.mark.parametrize(
    "document",
    [{"version": 3, "accounts": []}, {"version": 2, "accounts": [{}]}, {"version": 2, "accounts": {}}],
)
def test_a_document_of_the_future_is_not_overwritten(fake: FakeProvider, document: dict[str, Any]) -> None:
    storage = FileStorage()
    storage.path.parent.mkdir(parents=True)
    storage.path.write_text(json.dumps(document))
    storage.path.chmod(0o600)
    for action in (storage.load, lambda: storage.remove(of(fake, "ada"))):
        with pytest.raises(StorageError) as refusal:
            action()
        assert refusal.value.code == "storage_corrupt"
    storage.save(of(fake, "ada"))
    (aside,) = storage.path.parent.glob("tokens.json.corrupt-*")
    assert json.loads(aside.read_text()) == document


class Shelf:
    """A storage of the user's own, with the four methods of the original."""

    def __init__(self) -> None:
        self.kept: TokenData | None = None

    def save(self, tokens: TokenData) -> None:
        self.kept = tokens

    def load(self) -> TokenData | None:
        return self.kept

    def clear(self) -> None:
        self.kept = None

    def exists(self) -> bool:
        return self.kept is not None


def test_a_storage_with_four_methods_is_enough(make_manager: Make, fake: FakeProvider) -> None:
    shelf = Shelf()
    assert not isinstance(shelf, AccountStorage)
    manager = make_manager(storage=shelf)
    assert manager.storage is shelf
    sign_in(manager, fake, "ada")
    fake.answers["/token"] = Answer.json(
        fake.token_response(refresh_token="rotated", id_token=fake.id_token(sub="ada"))
    )
    manager.refresh_tokens()
    assert shelf.kept is not None
    assert shelf.kept.refresh_token == "rotated"
    assert make_manager(storage=shelf).is_authenticated
    manager.clear()
    assert shelf.kept is None
    one = OneAccountStorage(shelf)
    one.save(of(fake, "ada"))
    one.save(of(fake, "bob"))
    assert [tokens.refresh_token for tokens in one.load_all()] == ["refresh of bob"]
    one.clear()
    assert not one.exists()


def test_threads_that_sign_in_at_once_lose_nobody(fake: FakeProvider) -> None:
    users = [of(fake, f"user-{number}") for number in range(12)]
    threads = [threading.Thread(target=FileStorage().save, args=(one,)) for one in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(FileStorage().load_all()) == 12


WRITER = """
import sys
from tokentoss import FileStorage, TokenData
storage = FileStorage(sys.argv[1])
for number in range(20):
    storage.save(TokenData(f"a-{number}", "", "", "2030-01-01T00:00:00+00:00", [],
                           issuer="https://x.example", subject=f"{sys.argv[2]}-{number}", client_id="c"))
"""


def test_processes_that_write_at_once_lose_nobody(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    package = Path(__file__).parent.parent.parent / "python"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env={"PYTHONPATH": str(package)})
        for name in "abcd"
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(FileStorage(path).load_all()) == 80


def test_an_insecure_file_can_be_refused(fake: FakeProvider, make_manager: Make) -> None:
    """With refuse_insecure, an open token file is refused for reading, saving and removing (C69)."""
    storage = FileStorage(refuse_insecure=True)
    ada = of(fake, "ada")
    storage.save(ada)
    assert storage.load() == ada
    storage.path.chmod(0o640)
    for action in (storage.load, lambda: storage.save(ada), lambda: storage.remove(ada)):
        with pytest.raises(StorageError) as refusal:
            action()
        assert refusal.value.code == "storage_insecure"
        assert "chmod 600" in str(refusal.value)
        assert str(storage.path) in str(refusal.value)
    manager = make_manager(storage=storage)
    assert not manager.is_authenticated
    assert isinstance(manager.last_error, StorageError)
    storage.path.chmod(0o600)
    assert storage.load() == ada


def test_the_variable_names_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", str(tmp_path / "named.json"))
    assert FileStorage().path == tmp_path / "named.json"
    assert FileStorage(tmp_path / "given.json").path == tmp_path / "given.json"
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", "")
    assert FileStorage().path.name == "tokens.json"


def test_a_writer_that_keeps_the_file_locked_is_named(
    fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "WRITE_TIMEOUT", 0.05)
    storage = FileStorage(tmp_path / "tokens.json")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.file_lock(tmp_path / "tokens.json.lock", 5):
            held.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    with pytest.raises(StorageError, match="another process"):
        storage.save(of(fake, "ada"))
    release.set()
    holder.join()
    storage.save(of(fake, "ada"))


def test_managers_are_not_kept_alive(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake)
    tokentoss.CREDENTIALS = None
    gone = weakref.ref(manager)
    del manager
    gc.collect()
    assert gone() is None
