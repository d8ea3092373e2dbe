"""How a session is shown: by a widget in a notebook, and by a line of text elsewhere."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets.widgets.widget as internals
import pytest
from broker_steps import ADA, until
from fake_provider import Answer, FakeProvider
from test_accounts import sign_in
from test_auth_manager import response
from test_widget import customs, message, updates
from tokentoss import (
    AuthManager,
    AuthWidget,
    Broker,
    FileStorage,
    KeyringStorage,
    MemoryStorage,
    NoCredentialsError,
    StatusWidget,
    StorageError,
    error_codes,
    texts,
)
from tokentoss.broker import FakeBroker
from tokentoss.session import shown as shown_module
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.summary import line_of, place_of_tokens, summary_of
from tokentoss.widgets import background
from tokentoss.widgets.status_widget import widget_of

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
BOB = "bob@example.com"


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel, as far as a display asks for one."""
    monkeypatch.setattr(shown_module, "_is_notebook", lambda: True)


def shown(manager: Any) -> dict[str, Any]:
    bundle, metadata = manager._repr_mimebundle_(include=None, exclude=None)
    assert metadata is not None
    found: dict[str, Any] = bundle
    return found


def refreshes(fake: FakeProvider) -> int:
    return fake.calls("/token")


def fresh(fake: FakeProvider) -> None:
    """Let the provider renew."""
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(sub="ada", email=ADA)))


def test_what_is_shown(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=FileStorage())
    widget = StatusWidget(manager)
    assert widget.session == summary_of(manager)
    assert (widget.session["signed_in"], widget.session["account"]) == (False, "")
    sign_in(manager, fake, "ada", scopes=["openid", "email"])
    session = widget.session
    assert (session["signed_in"], session["account"], session["provider"]) == (True, ADA, "Fake")
    assert session["scopes"] == ["openid", "email"]
    assert session["missing"] == ["profile"]
    assert session["expires_at"] == pytest.approx(time.time() + 3600, abs=60)
    assert session["ends_at"] == pytest.approx(time.time() + 24 * 3600, abs=60)
    assert session["renewable"]
    assert session["stored_in"] == "~/.config/tokentoss/tokens.json"


def test_no_secret_is_in_a_trait_or_a_message(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=FileStorage())
    tokens = sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    fresh(fake)
    for kind in ("refresh", "choose_account", "sign_in", "keep_account", "ping", "sign_out"):
        message(widget, {"type": kind, "id": 1})
        until(lambda: not widget.busy)
    said = json.dumps([updates(widget), customs(widget), widget.get_state()], default=str)
    for secret in (tokens.access_token, tokens.id_token.split(".")[1], tokens.refresh_token):
        assert secret not in said


def test_a_page_writes_nothing(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    before = widget.session
    state = {
        "session": {"signed_in": False},
        "notice": "x",
        "busy": True,
        "sign_in_widget": "x",
        "choice": {},
    }
    widget.set_state(state)
    assert (widget.session, widget.notice, widget.busy) == (before, "", False)
    assert (widget.sign_in_widget, widget.choice) == ("", {"offered": True})


@pytest.mark.parametrize(
    "content", [None, 7, [], "refresh", {}, {"type": None}, {"type": ["refresh"]}, {"type": "REFRESH"}]
)
def test_what_is_no_message_does_nothing(make_manager: Make, fake: FakeProvider, content: Any) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    message(widget, content)
    assert manager.is_authenticated
    assert refreshes(fake) == 0


def test_renewing_now(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada", expires_in=600.0)
    widget = StatusWidget(manager)
    fresh(fake)
    message(widget, {"type": "refresh"})
    until(lambda: widget.notice)
    assert (widget.notice, widget.busy, refreshes(fake)) == (texts.text("session", "renewed"), False, 1)


def test_renewing_twice_asks_once(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    released, calls = threading.Event(), []

    def renew() -> None:
        calls.append(1)
        assert released.wait(20)

    monkeypatch.setattr(manager, "refresh_tokens", renew)
    message(widget, {"type": "refresh"})
    message(widget, {"type": "refresh"})
    assert widget.busy, "the page does not wait for the provider"
    released.set()
    until(lambda: not widget.busy)
    assert len(calls) == 1


def test_what_could_not_be_renewed(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, status=400)
    message(widget, {"type": "refresh"})
    until(lambda: not widget.busy)
    assert not widget.session["signed_in"]
    assert widget.session["problem"] == str(manager.last_error)

    def fail() -> None:
        raise ValueError("secret")

    monkeypatch.setattr(manager, "refresh_tokens", fail)
    message(widget, {"type": "refresh"})
    until(lambda: not widget.busy)
    assert widget.notice == "ValueError: the log says more."


def test_without_threads(make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    fresh(fake)
    monkeypatch.setattr(background, "in_thread", lambda _work, _name: False)
    message(widget, {"type": "refresh"})
    assert (widget.notice, widget.busy) == (texts.text("session", "renewed"), False)


def test_a_renewal_by_a_call_is_shown(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    now = int(time.time())
    token = fake.id_token(nonce="n", sub="ada", email=ADA, iat=now - 3000, exp=now + 100)
    manager.accept(response(fake, id_token=token), nonce="n")
    widget = StatusWidget(manager)
    before = widget.session["expires_at"]
    fresh(fake)
    assert manager.id_token
    assert widget.session["expires_at"] > before


def test_signing_out(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=FileStorage())
    sign_in(manager, fake, "ada")
    widgets = [StatusWidget(manager), StatusWidget(manager)]
    message(widgets[0], {"type": "sign_out"})
    assert [one.session["signed_in"] for one in widgets] == [False, False]
    assert not manager.storage.exists()
    message(widgets[0], {"type": "sign_out"})
    assert widgets[0].notice == "", "twice is once"


def test_a_stored_account_is_used(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "bob")
    sign_in(manager, fake, "ada")
    widget, button = StatusWidget(manager), AuthWidget(auth_manager=manager)
    message(widget, {"type": "choose_account"})
    (entry,) = widget.choice["accounts"]
    assert entry["name"] == BOB
    message(widget, {"type": "use_account", "id": "guessed"})
    assert manager.user_email == ADA
    message(widget, {"type": "use_account", "id": entry["id"]})
    assert (widget.session["account"], button.user_email) == (BOB, BOB)
    assert widget.choice == {"offered": True}
    manager.use_account(ADA)
    message(widget, {"type": "use_account", "id": entry["id"]})
    assert manager.user_email == ADA, "an entry is good once"


def test_a_sign_in_inside(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    message(widget, {"type": "choose_account"})
    message(widget, {"type": "sign_in"})
    assert widget.choice == {"offered": True}
    inside = internals._instances[widget.sign_in_widget]
    assert isinstance(inside, AuthWidget)
    assert inside.is_choosing
    message(widget, {"type": "sign_in"})
    assert internals._instances[widget.sign_in_widget] is inside, "one at a time"
    sign_in(manager, fake, "bob")
    assert (widget.session["account"], widget.sign_in_widget) == (BOB, "")
    assert inside.comm is None
    message(widget, {"type": "sign_in"})
    inside = internals._instances[widget.sign_in_widget]
    message(inside, {"type": "keep_account"})
    assert (widget.sign_in_widget, inside.comm) == ("", None)
    manager.sign_out()
    message(widget, {"type": "sign_in"})
    inside = internals._instances[widget.sign_in_widget]
    assert not inside.is_choosing
    widget.close()
    assert inside.comm is None, "it ends with what shows it"


def test_the_end_of_a_session_is_shown(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(max_session_lifetime_hours=1 / 3600)
    sign_in(manager, fake, "ada")
    widget = StatusWidget(manager)
    until(lambda: not widget.session["signed_in"])
    assert widget.session["problem"] == str(manager.last_error)


def test_a_page_that_asks_is_told_what_is_so(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    widget = StatusWidget(manager)
    message(widget, {"type": "ping", "id": 3})
    assert customs(widget)[-1] == {"type": "pong", "id": 3}


@pytest.mark.usefixtures("notebook")
def test_displays_of_a_manager_share_a_widget(make_manager: Make, fake: FakeProvider) -> None:
    manager, other = make_manager(), make_manager()
    sign_in(manager, fake, "ada")
    views = [shown(one)["application/vnd.jupyter.widget-view+json"] for one in (manager, manager, other)]
    assert views[0] == views[1] != views[2]
    assert shown(manager.credentials)["application/vnd.jupyter.widget-view+json"] == views[0]
    assert shown(copy.copy(manager.credentials))["application/vnd.jupyter.widget-view+json"] == views[0]
    widget_of(manager).close()
    assert shown(manager)["application/vnd.jupyter.widget-view+json"] != views[0], (
        "one that was closed is over"
    )


@pytest.mark.usefixtures("notebook")
def test_what_is_saved_with_the_notebook(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    tokens = sign_in(manager, fake, "ada")
    saved = json.dumps(shown(manager))
    assert "Run this cell in a live notebook" in saved
    for text in (ADA, tokens.access_token, tokens.id_token, tokens.refresh_token):
        assert text not in saved


def test_a_line_elsewhere(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=FileStorage())
    assert shown(manager) == {"text/plain": "Not signed in with Fake."}
    tokens = sign_in(manager, fake, "ada")
    line = shown(manager)["text/plain"]
    assert line == (
        "Signed in as ada@example.com with Fake. Tokens: Expires in 59 min, then renewed on use. "
        "Stored in: ~/.config/tokentoss/tokens.json"
    )
    assert tokens.access_token not in line
    assert shown(manager.credentials)["text/plain"] == line
    restored = pickle.loads(pickle.dumps(manager.credentials))
    assert shown(restored)["text/plain"].startswith("Signed in as ada@example.com")


@pytest.mark.parametrize("damage", ["{", "[]", "\0"])
@pytest.mark.parametrize("where", ["notebook", "terminal"])
def test_a_damaged_storage_is_shown(
    make_manager: Make, monkeypatch: pytest.MonkeyPatch, damage: str, where: str
) -> None:
    storage = FileStorage()
    storage.path.parent.mkdir(parents=True)
    storage.path.write_text(damage)
    storage.path.chmod(0o600)
    manager = make_manager(storage=storage)
    assert isinstance(manager.last_error, StorageError)
    monkeypatch.setattr(shown_module, "_is_notebook", lambda: where == "notebook")
    shown(manager)
    assert str(manager.last_error) in line_of(manager)
    widget = StatusWidget(manager)
    assert widget.session["problem"] == str(manager.last_error)
    message(widget, {"type": "choose_account"})
    assert widget.notice == str(manager.last_error)
    message(widget, {"type": "sign_out"})


@pytest.mark.parametrize("broken", ["_is_notebook", "line_of"])
def test_a_display_never_fails(make_manager: Make, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    manager = make_manager()

    def fail(*_: object) -> Any:
        raise RuntimeError

    monkeypatch.setattr(shown_module, broken, fail)
    assert shown(manager) == {"text/plain": repr(manager)}


@pytest.mark.parametrize(
    ("name", "is_notebook"),
    [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False), (None, False)],
)
def test_where_a_widget_is_shown(
    make_manager: Make, monkeypatch: pytest.MonkeyPatch, name: str | None, is_notebook: bool
) -> None:
    shell = None if name is None else type(name, (), {})()
    ipython = SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0))
    monkeypatch.setitem(shown_module.sys.modules, "IPython", ipython)
    assert shown_module._is_notebook() is is_notebook


def test_where_tokens_are(make_manager: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place(storage: Any) -> str:
        return place_of_tokens(make_manager(storage=storage))

    assert place(MemoryStorage()) == "memory, until Python stops"
    assert place(FileStorage(tmp_path / "elsewhere" / "t.json")) == str(tmp_path / "elsewhere" / "t.json")
    assert place(FileStorage(tmp_path / "home" / "t.json")) == "~/t.json"
    keyring = KeyringStorage.__new__(KeyringStorage)
    keyring.service = "tokentoss"
    assert place_of_tokens(SimpleNamespace(storage=keyring)) == "the keyring (tokentoss)"
    storage = FileStorage(tmp_path / "home" / "t.json")

    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert place(storage) == str(storage.path)


def test_at_a_broker(broker: FakeBroker) -> None:
    at = Broker(broker.url, key=broker.key)
    broker.connect("google", email=ADA)
    manager = BrokerManager(at)
    widget = StatusWidget(manager)
    assert not widget.session["signed_in"]
    assert manager.look()
    assert widget.session["account"] == ADA
    assert widget.session["renewable"]
    assert widget.session["stored_in"] == f"the broker {broker.url}"
    assert broker.key not in json.dumps(widget.get_state(), default=str)
    manager.sign_out()
    assert not widget.session["signed_in"]


def test_a_widget_that_nobody_holds_is_collected(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    sign_in(manager, fake, "ada")
    widget = widget_of(manager)
    widget.let_go()
    gone = weakref.ref(widget)
    widget.comm._msg_callback = None
    del widget
    gc.collect()
    assert gone() is None
    manager.sign_out()
    assert widget_of(manager).comm is not None


def test_it_speaks_the_language_of_its_page(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(storage=MemoryStorage())
    sign_in(manager, fake, "ada")
    widget = widget_of(manager)
    message(widget, {"type": "language", "language": "de-AT"})
    assert set(widget.texts) == {"language", "errors", "subjects", "session", "accounts", "steps"}
    assert widget.session["stored_in"] == "dem Arbeitsspeicher, bis Python endet"
    fresh(fake)
    message(widget, {"type": "refresh"})
    until(lambda: widget.notice)
    assert widget.notice == "Die Tokens sind neu."
    manager.last_error = NoCredentialsError(code="session_expired", subject="24 h")
    message(widget, {"type": "ping", "id": 1})
    assert widget.session["problem"] == error_codes.sentence("session_expired", "24 h", language="de")
