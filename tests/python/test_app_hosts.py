"""Hosts that show one notebook to several people: each has a session of their own, in memory."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import tokentoss
from fake_provider import FakeProvider
from test_adapters import authorizations
from test_auth_manager import response, stored
from tokentoss import (
    APIClient,
    AuthManager,
    AuthWidget,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    IAPClient,
    KeyringStorage,
    KeyringUnavailableWarning,
    MemoryStorage,
    NoCredentialsError,
    StorageError,
    TokensInMemoryWarning,
)
from tokentoss.clients.base import ServiceClient
from tokentoss.session import app_host
from tokentoss.session.token_manager import TokenManager
from tokentoss.storage import default, file

Make = Callable[..., AuthManager]


class Marimo:
    """``marimo run`` as far as it can be told: a context in each visitor's thread, and a mode."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, mode: str = "run") -> None:
        self._local = threading.local()
        marimo, types = ModuleType("marimo"), ModuleType("types")

        def get_context() -> Any:
            if getattr(self._local, "context", None) is None:
                raise RuntimeError("ContextNotInitializedError")
            return self._local.context

        def app_meta() -> Any:
            return SimpleNamespace(mode=mode if getattr(self._local, "context", None) else None)

        marimo.app_meta = app_meta  # type: ignore[attr-defined]
        types.get_context = get_context  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "marimo", marimo)
        monkeypatch.setitem(sys.modules, "marimo._runtime.context.types", types)
        monkeypatch.setattr(app_host._Process, "serves_visitors", False)

    def visit(self, context: Any, do: Callable[[], Any]) -> Any:
        self._local.context = context
        try:
            return do()
        finally:
            self._local.context = None


@pytest.fixture
def marimo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marimo]:
    yield Marimo(monkeypatch)
    app_host._Process.serves_visitors = False


def test_visitors_of_one_process_do_not_meet(make_manager: Make, fake: FakeProvider, marimo: Marimo) -> None:
    """A visitor's calls never find another visitor's sign-in (Trust 11)."""
    ada, bob = SimpleNamespace(), SimpleNamespace()

    def sign_in() -> AuthManager:
        manager = make_manager()
        manager.accept(response(fake), nonce="n")
        return manager

    def found() -> list[TokenManager]:
        return TokenManager.signed_in()

    hers = marimo.visit(ada, sign_in)
    assert marimo.visit(ada, found) == [hers]
    assert marimo.visit(bob, found) == []
    his = marimo.visit(bob, sign_in)
    assert marimo.visit(ada, found) == [hers]
    assert marimo.visit(bob, found) == [his]
    assert found() == [], "a thread that the host does not know is nobody's"
    assert tokentoss.CREDENTIALS is None
    for context, manager in ((ada, hers), (bob, his)):
        assert marimo.visit(context, lambda: tokentoss.CREDENTIALS) is manager.credentials


@pytest.mark.parametrize(
    ("name", "value", "has_own_process"),
    [
        ("VOILA_BASE_URL", "/", True),
        ("SERVER_SOFTWARE", "voila/0.5.13", True),
        ("TOKENTOSS_APP_HOST", "1", False),
    ],
)
def test_tokens_of_an_app_live_in_memory(
    fake: FakeProvider,
    config: ClientConfig,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    has_own_process: bool,
) -> None:
    """An app keeps tokens in memory and does not use its owner's token file (Trust 11)."""
    FileStorage().save(stored(fake))
    monkeypatch.setenv(name, value)
    manager = AuthManager(config, provider=fake.provider())
    assert isinstance(manager.storage, MemoryStorage)
    assert not manager.is_authenticated
    manager.accept(response(fake, refresh_token="of-the-visitor"), nonce="n")
    assert manager.is_authenticated
    assert tokentoss.CREDENTIALS is (manager.credentials if has_own_process else None)
    kept = FileStorage().load()
    assert kept is not None
    assert kept.refresh_token == "refresh-1"


def test_marimo_run_keeps_tokens_in_memory(fake: FakeProvider, config: ClientConfig, marimo: Marimo) -> None:
    """``marimo run`` keeps tokens in memory (Trust 11)."""
    FileStorage().save(stored(fake))
    manager = marimo.visit(SimpleNamespace(), lambda: AuthManager(config, provider=fake.provider()))
    assert isinstance(manager.storage, MemoryStorage)


@pytest.mark.parametrize("mode", ["edit", "script", None])
def test_other_modes_are_one_users(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    host = Marimo(monkeypatch, mode)
    context = SimpleNamespace()
    assert host.visit(context, app_host.is_shared) is False
    assert host.visit(context, app_host.visitor) is None
    manager = host.visit(context, make_manager)
    manager.accept(response(fake), nonce="n")
    assert tokentoss.CREDENTIALS is manager.credentials


def test_the_variable_overrules_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOILA_BASE_URL", "/")
    assert app_host.is_shared()
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "0")
    assert not app_host.is_shared()


def test_a_context_that_takes_no_mark_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Marimo(monkeypatch)
    context = object()
    first, second = host.visit(context, app_host.visitor), host.visit(context, app_host.visitor)
    assert first is not second
    assert None not in {first, second}
    app_host._Process.serves_visitors = False


def sign_in(make_manager: Make, fake: FakeProvider, subject: str) -> AuthManager:
    manager = make_manager()
    token = fake.id_token(sub=subject, email=f"{subject}@example.com", nonce="n")
    manager.accept(response(fake, id_token=token, access_token=f"access-of-{subject}"), nonce="n")
    return manager


def clients(fake: FakeProvider, service: FakeProvider) -> list[ServiceClient]:
    """One of each kind, as a module that all visitors import would make them."""
    return [
        IAPClient(service.issuer, provider=fake.issuer),
        APIClient(service.issuer, provider=fake.provider()),
    ]


def refusal(client: ServiceClient) -> str:
    with pytest.raises(NoCredentialsError) as refused:
        client.get("/api")
    return str(refused.value)


def test_a_client_that_visitors_share(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, marimo: Marimo
) -> None:
    """A shared client calls as the current visitor and names no other one (Trust 11)."""
    ada, bob = SimpleNamespace(), SimpleNamespace()
    for client in clients(fake, service):
        hers = marimo.visit(ada, lambda: sign_in(make_manager, fake, "ada"))
        marimo.visit(ada, lambda: client.get("/api"))  # noqa: B023 - called at once
        said = marimo.visit(bob, lambda: refusal(client)) + refusal(client)  # noqa: B023 - called at once
        assert "ada" not in said
        assert "give the client an auth_manager" in said
        his = marimo.visit(bob, lambda: sign_in(make_manager, fake, "bob"))
        marimo.visit(bob, lambda: client.get("/api"))  # noqa: B023 - called at once
        marimo.visit(ada, lambda: client.get("/api"))  # noqa: B023 - called at once
        tokens = [
            manager.id_token if isinstance(client, IAPClient) else manager.access_token
            for manager in (hers, his, hers)
        ]
        assert authorizations(service) == [f"Bearer {token}" for token in tokens]
        service.requests.clear()
        marimo.visit(ada, hers.sign_out)
        marimo.visit(bob, his.sign_out)


@pytest.mark.parametrize("name", ["VOILA_BASE_URL", "TOKENTOSS_APP_HOST"])
def test_a_client_of_an_app_reads_no_file(
    fake: FakeProvider, service: FakeProvider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A client of an app reads no stored tokens (Trust 11)."""
    tokens = stored(fake)
    FileStorage().save(tokens)
    tokentoss.configure_from_credentials("client.example", "secret-1")
    monkeypatch.setenv(name, "1")
    for client in clients(fake, service):
        assert "give the client an auth_manager" in refusal(client)
    assert service.requests == []
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "0")
    assert IAPClient(service.issuer, provider=fake.issuer).get_json("/api") == {"ok": True}


def test_visitors_of_an_unknown_host_do_not_meet(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an unknown app host, a client needs an auth_manager (Trust 11)."""
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "1")
    manager = sign_in(make_manager, fake, "ada")
    for client in clients(fake, service):
        assert "ada" not in refusal(client)
    with pytest.raises(ConfigurationError, match="auth_manager of the widget"):
        tokentoss.CREDENTIALS = manager.credentials
    assert IAPClient(service.issuer, manager).get_json("/api") == {"ok": True}


@pytest.mark.parametrize("make", [FileStorage, KeyringStorage])
def test_an_app_takes_no_storage_of_everybody(
    config: ClientConfig, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Any
) -> None:
    monkeypatch.setenv("VOILA_BASE_URL", "/")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KeyringUnavailableWarning)
        storage = make()
    with pytest.raises(ConfigurationError, match="Leave the storage out"):
        AuthManager(config, provider=fake.provider(), storage=storage)
    named = FileStorage(tmp_path / "of-ada.json")
    assert AuthManager(config, provider=fake.provider(), storage=named).storage is named
    monkeypatch.setenv("TOKENTOSS_APP_HOST", "0")
    assert AuthManager(config, provider=fake.provider(), storage=storage).storage is storage


def test_a_sign_out_is_one_visitors(make_manager: Make, fake: FakeProvider, marimo: Marimo) -> None:
    """A sign-out in one browser leaves the same user's session in another browser."""
    here, there = SimpleNamespace(), SimpleNamespace()
    one = marimo.visit(here, lambda: sign_in(make_manager, fake, "ada"))
    twin = marimo.visit(here, lambda: sign_in(make_manager, fake, "ada"))
    other = marimo.visit(there, lambda: sign_in(make_manager, fake, "ada"))
    marimo.visit(here, one.sign_out)
    assert [manager.is_authenticated for manager in (one, twin, other)] == [False, False, True]


def test_an_observer_serves_the_visitor_of_its_widget(
    make_manager: Make, fake: FakeProvider, service: FakeProvider, marimo: Marimo
) -> None:
    """A client used in an observer calls as the visitor of its widget."""
    ada, bob = SimpleNamespace(), SimpleNamespace()
    marimo.visit(bob, lambda: sign_in(make_manager, fake, "bob"))
    widget = marimo.visit(ada, lambda: AuthWidget(auth_manager=make_manager()))
    client, answers = IAPClient(service.issuer, provider=fake.issuer), []
    widget.observe(lambda change: answers.append(client.get_json("/api")), "is_authenticated")
    token = fake.id_token(sub="ada", nonce="n")
    widget.auth_manager.accept(response(fake, id_token=token), nonce="n")
    assert answers == [{"ok": True}]
    assert authorizations(service) == [f"Bearer {token}"]
    widget.close()


def test_an_embedded_app_has_the_visitor_of_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Marimo(monkeypatch)
    outer = SimpleNamespace(parent=None)
    inner = SimpleNamespace(parent=outer)
    assert host.visit(inner, app_host.visitor) is host.visit(outer, app_host.visitor)
    app_host._Process.serves_visitors = False


def test_without_a_home_tokens_live_in_memory(
    fake: FakeProvider, config: ClientConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a home folder, tokens are in memory, and clients name the reason (F14)."""

    def missing() -> Path:
        raise StorageError(code="storage_home_missing")

    monkeypatch.setattr(file, "config_folder", missing)
    default._memory.cache_clear()
    with pytest.warns(TokensInMemoryWarning):
        manager = AuthManager(config, provider=fake.provider())
    assert isinstance(manager.storage, MemoryStorage)
    for client in clients(fake, fake):
        assert "home" in refusal(client)
    default._memory.cache_clear()
