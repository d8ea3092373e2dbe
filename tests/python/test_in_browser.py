"""Python in a browser, simulated: no threads, no locks, and other HTTP responses."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest
import urllib3
from fake_provider import CLIENT_ID, Answer, FakeProvider
from page import Page
from test_device_sign_in import CODE
from test_storage import TOKENS
from test_widget import from_page, message
from tokentoss import AuthManager, AuthWidget, ClientConfig, FileStorage, SignInError
from tokentoss.doctor import network
from tokentoss.util.http import TransportError, call

Make = Callable[..., AuthManager]
# The fake provider's server has threads of its own.
OF_TOKENTOSS = ("tokentoss-", "ThreadPoolExecutor-")


@pytest.fixture(autouse=True)
def _pyodide(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name.startswith(OF_TOKENTOSS):
            raise RuntimeError("can't start new thread")
        start(thread)

    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(threading.Thread, "start", fail)
    # As in the response that urllib3 has for browsers.
    monkeypatch.setattr(urllib3.HTTPResponse, "read1", refuse)


def test_a_call(fake: FakeProvider) -> None:
    fake.answers["/token"] = Answer(200, b"[" + b" " * 20_000 + b"]")
    assert len(call("GET", fake.issuer + "/token").body) == 20_002
    with pytest.raises(TransportError) as failure:
        call("GET", fake.issuer + "/token", max_bytes=10_000)
    assert failure.value.reason == "too_large"


def test_the_doctor_asks_one_after_the_other(fake: FakeProvider) -> None:
    fake.answers["/token"] = Answer.json({"error": "invalid_request"}, 400)
    found = network.network_findings(None, fake.provider())
    assert [finding.level for finding in found] == ["ok", "ok", "ok"]


def test_a_file_is_kept_without_a_lock_and_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a browser, FileStorage uses no lock file and gives no warning."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("there is no lock to take")

    monkeypatch.setattr(filelock, "FileLock", refuse)
    storage = FileStorage(tmp_path / "own" / "tokens.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        storage.save(TOKENS)
        assert storage.load() == TOKENS
        storage.clear()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("recorded")
def test_a_code_is_not_offered_and_refused_with_a_sentence(fake: FakeProvider, make_manager: Make) -> None:
    fake.answers["/device"] = Answer.json(CODE)
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    assert not widget.offers_code
    message(widget, {"type": "ask_for_code"})
    assert widget.error_code == "device_authorization_unsupported"
    assert widget.error.endswith("Use the sign-in button instead.")
    assert fake.calls("/device") == 0


@pytest.mark.usefixtures("recorded")
def test_a_code_that_the_page_can_ask_for_is_offered(fake: FakeProvider, make_manager: Make) -> None:
    """Without threads, a code is offered only if the page can ask for it."""
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    manager = make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, ""))
    assert AuthWidget(auth_manager=manager).offers_code
    assert not AuthWidget(auth_manager=manager, exchange="kernel").offers_code


@pytest.mark.usefixtures("recorded")
def test_waiting_ends_at_once_and_the_sign_in_goes_on(fake: FakeProvider, make_manager: Make) -> None:
    widget = AuthWidget(auth_manager=make_manager())
    with pytest.raises(SignInError) as refusal:
        widget.wait()
    assert refusal.value.code == "wait_impossible"
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.wait().email == "ada@example.com"
