"""Hosts that show one notebook to several people: everybody has a session of their own, in memory."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import tokentoss
from fake_provider import FakeProvider
from test_auth_manager import response, stored
from tokentoss import AuthManager, ClientConfig, FileStorage, MemoryStorage
from tokentoss.session import app_host
from tokentoss.session.token_manager import TokenManager

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
    """Trust 11: no call of one visitor finds the sign-in of another, and nothing is published."""
    ada, bob = SimpleNamespace(), SimpleNamespace()
    provider = fake.provider()

    def sign_in() -> AuthManager:
        manager = make_manager()
        manager.accept(response(fake), nonce="n")
        return manager

    def found() -> list[TokenManager]:
        return TokenManager.signed_in_at(provider)

    hers = marimo.visit(ada, sign_in)
    assert marimo.visit(ada, found) == [hers]
    assert marimo.visit(bob, found) == []
    his = marimo.visit(bob, sign_in)
    assert marimo.visit(ada, found) == [hers]
    assert marimo.visit(bob, found) == [his]
    assert found() == [], "a thread that the host does not know is nobody's"
    assert tokentoss.CREDENTIALS is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOILA_BASE_URL", "/"),
        ("SERVER_SOFTWARE", "voila/0.5.13"),
        ("TOKENTOSS_APP_HOST", "1"),
    ],
)
def test_tokens_of_an_app_live_in_memory(
    fake: FakeProvider, config: ClientConfig, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Trust 11: the file of the user who runs the app is not its visitors'."""
    FileStorage().save(stored(fake))
    monkeypatch.setenv(name, value)
    manager = AuthManager(config, provider=fake.provider())
    assert isinstance(manager.storage, MemoryStorage)
    assert not manager.is_authenticated
    manager.accept(response(fake, refresh_token="of-the-visitor"), nonce="n")
    assert manager.is_authenticated
    assert tokentoss.CREDENTIALS is None
    kept = FileStorage().load()
    assert kept is not None
    assert kept.refresh_token == "refresh-1"


def test_marimo_run_keeps_tokens_in_memory(fake: FakeProvider, config: ClientConfig, marimo: Marimo) -> None:
    """Trust 11."""
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
