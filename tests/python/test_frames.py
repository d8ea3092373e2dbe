"""The frames of an error, and of its causes, hold no secret (S12).

``%xmode Verbose`` of IPython and error reporters print local variables, those of libraries as well.
"""

from __future__ import annotations

import errno
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
import requests
import tokentoss
from fake_provider import Answer, FakeProvider
from test_auth_manager import signed_in
from test_keyring_storage import InMemory
from test_storage import TOKENS
from tokentoss import (
    AuthManager,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    IAPClient,
    KeyringStorage,
    StorageError,
)
from tokentoss.clients.errors import ServiceTimeoutError, ServiceUnreachableError
from tokentoss.storage.document import to_document
from tokentoss.util import connections
from tokentoss.util.http import call

Make = Callable[..., AuthManager]


def shown(failure: BaseException) -> str:
    """What a failure shows besides the frames of the tests."""
    parts = [repr(failure), str(failure), repr(vars(failure))]
    waiting: list[BaseException | None] = [failure]
    seen: list[BaseException] = []
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        waiting += [one.__cause__, one.__context__]
        waiting += [part for part in one.args if isinstance(part, BaseException)]
        stack = traceback.StackSummary.extract(traceback.walk_tb(one.__traceback__), capture_locals=True)
        parts += [f"{frame.filename} {frame.locals}" for frame in stack if frame.filename != __file__]
    return "\n".join(parts)


def interrupt() -> None:
    """Do what a notebook does to a cell that takes too long, while its thread waits for the answer."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def test_an_interrupted_call_of_a_client(
    make_manager: Make, fake: FakeProvider, service: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake)
    service.answers["/api"] = Answer(before=interrupt)
    token = manager.id_token
    assert token is not None
    with pytest.raises(KeyboardInterrupt) as interruption:
        IAPClient(service.issuer, manager).get("/api")
    text = shown(interruption.value)
    assert "clients/base.py" in text
    assert "urllib3" not in text
    assert token not in text


def test_an_interrupted_renewal(make_manager: Make, fake: FakeProvider) -> None:
    """The traceback of an interrupted renewal holds no refresh token or client secret."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(before=interrupt)
    with pytest.raises(KeyboardInterrupt) as interruption:
        manager.refresh_tokens()
    text = shown(interruption.value)
    assert "util/http.py" in text
    assert "urllib3" not in text
    for secret in ("refresh-1", "secret-1"):
        assert secret not in text


def test_a_connection_that_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback of an interrupted connection holds no token."""

    def connect(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(connections, "connect", connect)
    token = "access" + "-9"
    with pytest.raises(KeyboardInterrupt) as interruption:
        call("GET", "http://127.0.0.1:1/", bearer=token)
    text = shown(interruption.value)
    assert "util/http.py" in text
    assert "urllib3" not in text
    assert token not in text


@pytest.mark.parametrize(
    ("scheme", "path", "kind"),
    [
        ("http", "/closed", ServiceUnreachableError),
        ("http", "/slow", ServiceTimeoutError),
        ("https", "/", ServiceUnreachableError),
    ],
)
def test_a_call_without_an_answer(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, scheme: str, path: str, kind: Any
) -> None:
    manager = signed_in(make_manager, fake)
    token = str(manager.id_token)
    release = threading.Event()
    service.answers["/slow"] = Answer(before=lambda: assert_set(release))
    if path == "/closed":
        service.close()
    with pytest.raises(kind) as refusal:
        IAPClient(service.issuer.replace("http", scheme), manager, timeout=0.2).get_json(path)
    release.set()
    assert refusal.value.__cause__ is refusal.value.__context__ is None
    for text in (shown(refusal.value), repr(pickle.dumps(refusal.value))):
        assert token not in text


def assert_set(release: threading.Event) -> None:
    assert release.wait(30)


@pytest.mark.parametrize("headers", [{"X": "two\r\nlines"}, {"X": "\N{SNOWMAN}"}, {"X": 7}])
def test_a_call_that_cannot_be_made(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, headers: dict[str, Any]
) -> None:
    """An error for invalid headers keeps its type, and its traceback holds no token."""
    manager = signed_in(make_manager, fake)
    token = str(manager.id_token)
    with pytest.raises((requests.RequestException, UnicodeError)) as refusal:
        IAPClient(service.issuer, manager).get("/api", headers=headers)
    assert "site-packages" not in shown(refusal.value)
    assert token not in shown(refusal.value)
    assert service.requests == []


SECRETS = ("access-1", "id-1", "refresh-1")


def test_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as refusal:
        FileStorage(tmp_path / "tokens.json").save(TOKENS)
    text = shown(refusal.value)
    assert "private_file.py" in text
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize("damage", [lambda text: text[:-2], lambda text: text.replace("accounts", "others")])
def test_a_file_that_cannot_be_read(tmp_path: Path, damage: Callable[[str], str]) -> None:
    storage = FileStorage(tmp_path / "tokens.json")
    storage.path.write_text(damage(str(to_document([TOKENS]))))
    storage.path.chmod(0o600)
    with pytest.raises(StorageError) as refusal:
        storage.load()
    for secret in SECRETS:
        assert secret not in shown(refusal.value)


@pytest.mark.parametrize("operation", ["set_password", "get_password"])
def test_a_keyring_that_fails(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    backend = InMemory()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    storage = KeyringStorage()
    storage.save(TOKENS)
    works = getattr(backend, operation)

    def fail(service: str, name: str, *password: str) -> Any:
        if name.startswith("tokens-"):
            raise RuntimeError(f"cannot {password}")
        return works(service, name, *password)

    monkeypatch.setattr(backend, operation, fail)
    with pytest.raises(StorageError) as refusal:
        storage.save(TOKENS)
    for secret in SECRETS:
        assert secret not in shown(refusal.value)


def test_a_keyring_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring backend receives values of type str."""
    backend = InMemory()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    KeyringStorage().save(TOKENS)
    assert {type(value) for value in backend.entries.values()} == {str}


@pytest.mark.parametrize(
    "content",
    [
        '{"installed": {"client_id": 7, "client_secret": "secret-1"}}',
        '{"installed": {"client_id": "c", "client_secret": "secret-1", "token_uri": "http://plain.example"}}',
        '{"web": {"client_id": "c", "client_secret": "secret-1", "redirect_uris": 7}}',
        '{"type": "authorized_user", "refresh_token": "secret-1"}',
        '{"installed": {"client_secret": "secret-1"',
    ],
)
def test_a_client_that_is_not_valid(tmp_path: Path, content: str) -> None:
    path = tmp_path / "client_secrets.json"
    path.write_text(content)
    for read in (ClientConfig.from_file, tokentoss.configure_from_file):
        with pytest.raises(ConfigurationError) as refusal:
            read(path)
        assert "secret-1" not in shown(refusal.value)


def test_a_client_that_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "secret" + "-1"
    with pytest.raises(ConfigurationError) as refusal:
        tokentoss.configure(client_id="two words", client_secret=secret)
    assert secret not in shown(refusal.value)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as unwritten:
        tokentoss.configure(client_id="client-1", client_secret=secret)
    assert secret not in shown(unwritten.value)
