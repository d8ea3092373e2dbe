"""Observers of a widget run without its locks, and their exceptions stop nobody else."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from forked import assert_in_child, needs_fork
from page import Page
from test_device_sign_in import CODE, refused, tokens
from test_wait import Cell
from test_widget import from_page, message, sent, updates
from test_widget_code import polling, until
from tokentoss import AuthManager, AuthWidget, ConfigureWidget, disable_debug
from tokentoss.oauth import device_authorization
from tokentoss.widgets import cell_lifetime
from tokentoss.widgets.gate import Gate

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def widget(make_manager: Make) -> AuthWidget:
    return AuthWidget(auth_manager=make_manager())


@pytest.fixture
def by_code(fake: FakeProvider, make_manager: Make, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes managers whose provider gives user codes."""
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)
    fake.answers["/device"] = Answer.json(CODE | {"interval": 0.01})
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    return lambda **named: make_manager(provider=provider, **named)


def is_free(lock: Gate) -> bool:
    """Whether another thread gets the lock."""
    got = threading.Event()

    def take() -> None:
        with lock:
            got.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return got.wait(10)


@pytest.mark.parametrize("name", ["is_authenticated", "status", "ticket", "acknowledged", "sealed_tokens"])
def test_an_observer_runs_under_no_lock(widget: AuthWidget, fake: FakeProvider, name: str) -> None:
    """Observers run while the widget's lock is free (P1)."""
    free: list[bool] = []
    widget.observe(lambda change: free.append(is_free(widget._lock)), name)
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert free
    assert all(free)
    assert widget.is_authenticated


@pytest.mark.parametrize("name", ["code", "error", "status"])
def test_an_observer_may_close_the_widget(by_code: Make, fake: FakeProvider, name: str) -> None:
    """An observer may close the widget while a code is requested (P1)."""
    widget = AuthWidget(auth_manager=by_code())
    fake.answers["/token"] = refused("access_denied")
    free: list[bool] = []

    def close(change: Any) -> None:
        free.append(is_free(widget._lock))
        widget.close()

    widget.observe(close, name)
    message(widget, {"type": "ask_for_code"})
    until(lambda: free and not polling())
    assert all(free)
    assert widget.comm is None


def test_an_observer_that_raises_stops_nobody(
    widget: AuthWidget, fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer that raises keeps neither the sign-in nor a waiting cell from ending (P2)."""

    def fail(change: Any) -> None:
        raise ZeroDivisionError

    widget.observe(fail)
    other = AuthWidget(auth_manager=widget.auth_manager)
    other.observe(fail)
    cell = Cell(widget)
    page = Page(widget.ticket)
    token = page.reach_callback()
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=page.envelope(fake))
    assert reply.json() == {"code": ""}
    assert cell.end().email == "ada@example.com"
    assert other.is_authenticated
    assert "ZeroDivisionError" in caplog.text


def test_who_waits_hears_first(widget: AuthWidget, fake: FakeProvider) -> None:
    """A waiting cell gets the sign-in before an observer returns (P2)."""
    cell = Cell(widget)
    waited: list[bool] = []

    def look(change: Any) -> None:
        cell.end()
        waited.append(True)

    widget.observe(look, "is_authenticated")
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert waited == [True]


def test_who_waits_for_a_failure_hears_first(by_code: Make, fake: FakeProvider) -> None:
    """A waiting cell gets the failure before an observer of error_code returns (P2)."""
    widget = AuthWidget(auth_manager=by_code())
    fake.answers["/token"] = refused("access_denied")
    cell = Cell(widget)
    ended: list[Any] = []
    widget.observe(lambda change: ended.append(cell.end()), "error_code")
    message(widget, {"type": "ask_for_code"})
    until(lambda: ended)
    assert ended[0].code == "access_denied"
    until(lambda: not polling())
    widget.close()


def test_a_storage_that_raises_ends_the_code(
    by_code: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception while the tokens are accepted ends the code with an error (P7)."""
    manager = by_code()
    widget = AuthWidget(auth_manager=manager)
    fake.answers["/token"] = tokens(fake)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(manager, "accept", fail)
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.error_code)
    until(lambda: not polling())
    assert (widget.code, widget.error_code) == ({}, "storage_unwritable")
    assert "ZeroDivisionError" in widget.error
    assert "ZeroDivisionError" in caplog.text
    widget.close()


def test_a_failure_to_get_a_code_is_said_each_time(by_code: Make, fake: FakeProvider) -> None:
    """A repeated failure to get a code is sent to the page each time (R2)."""
    widget = AuthWidget(auth_manager=by_code())
    fake.answers["/device"] = refused("unauthorized_client")

    def errors() -> list[str]:
        return [state["error_code"] for state in updates(widget) if "error_code" in state]

    for number in (1, 2):
        message(widget, {"type": "ask_for_code"})
        until(lambda number=number: errors().count("unauthorized_client") == number)
        assert widget.error
    until(lambda: not polling())
    assert [code for code in errors() if code] == ["unauthorized_client"] * 2
    widget.close()


@pytest.mark.parametrize("make", ["sign in", "configure"])
def test_an_answer_to_a_ping_is_small(make_manager: Make, make: str) -> None:
    """The answer to a ping holds only the widget's own unsealed traits, in under 8 kB (H2)."""
    widget = AuthWidget(auth_manager=make_manager()) if make == "sign in" else ConfigureWidget()
    before = len(updates(widget))  # type: ignore[arg-type]
    message(widget, {"type": "ping", "id": 1})
    (state,) = updates(widget)[before:]  # type: ignore[arg-type]
    assert not [name for name in state if name.startswith("_")]
    assert len(str(sent(widget)[-2:]).encode()) < 8000  # type: ignore[arg-type]
    assert set(state) == {name for name in widget.own_traits() if not name.startswith("sealed_")}


def test_a_page_changes_none_of_our_traits(widget: AuthWidget) -> None:
    """A page cannot change the widget's own traits, such as ticket or status (H2)."""
    ticket = widget.ticket
    from_page(widget, ticket={}, status="x", is_authenticated=True, error="x")
    assert (widget.ticket, widget.is_authenticated, widget.error) == (ticket, False, "")


def test_a_users_own_trait_is_the_users(make_manager: Make) -> None:
    """A page may write a subclass's own trait, but not the widget's status (H2)."""
    import traitlets  # noqa: PLC0415

    class Mine(AuthWidget):
        mine = traitlets.Unicode("").tag(sync=True)

    widget = Mine(auth_manager=make_manager())
    from_page(widget, mine="written", status="x")
    assert (widget.mine, widget.status) == ("written", "Click to sign in")


def test_what_a_page_says_is_in_no_log(widget: AuthWidget, caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG, the log of comm holds neither code nor state of a page's messages (H6)."""
    caplog.set_level(logging.DEBUG)
    address = "http://127.0.0.1:1/?state=the-state&code=the-code"
    contents = [
        {"type": "paste", "ticket": "t", "address": address},
        {"type": "paste", "ticket": "t", "address": 'it\'s "the-code" alone'},
        {"type": "deliver", "ticket": "t", "sealed": "the-code"},
    ]
    for content in contents:
        widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert caplog.text.count("handle_msg") == len(contents)
    assert "the-code" not in caplog.text
    assert "the-state" not in caplog.text
    disable_debug()


@needs_fork
def test_a_forked_process_leaves_the_parents_sign_in_alone(widget: AuthWidget, fake: FakeProvider) -> None:
    """A forked process can take all locks, and does not end the parent's sign-in (P13)."""
    page = Page(widget.ticket)
    token = page.reach_callback()
    hand_off = widget._attempt.hand_off
    assert hand_off is not None

    def check() -> bool:
        taken: list[bool | None] = []
        for lock in (widget._lock, hand_off._lock, widget._waiters._lock, cell_lifetime._lock):
            thread = threading.Thread(target=lambda lock=lock: taken.append(lock.__enter__()))
            thread.start()
            thread.join(4)
        before = len(widget.comm.sent)
        widget._attempt._finalizer()
        widget.close()
        return len(taken) == 4 and len(widget.comm.sent) == before and not hand_off.done.is_set()

    with widget._lock, hand_off._lock, hand_off.registrations._lock, cell_lifetime._lock:
        assert_in_child(check)
    sealed = page.envelope(fake)
    assert page.post("/tokentoss/deliver", page_token=token, sealed=sealed).json() == {"code": ""}


class Shell:
    """IPython, as far as it matters to results, in a host that names its cells."""

    def __init__(self) -> None:
        self.kernel = self
        self.displayhook = self
        self.user_ns: dict[str, Any] = {"_oh": {}}
        self.user_ns_hidden: dict[str, Any] = {}
        self.number = 0

    def get_parent(self) -> dict[str, Any]:
        header = {"msg_type": "execute_request", "session": "s", "msg_id": str(self.number)}
        return {"header": header, "metadata": {"cellId": "cell"}}


def test_a_re_run_leaves_the_results_alone(make_manager: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a re-run, Out[n] still works while the widget is held, without keeping it alive (P14)."""
    shell = Shell()
    monkeypatch.setattr(cell_lifetime, "_shell", lambda: shell)
    held = AuthWidget(auth_manager=make_manager())
    shell.user_ns["_oh"][1] = shell.user_ns["_1"] = shell.user_ns["_"] = held
    shell.number = 1
    second = AuthWidget(auth_manager=make_manager())
    results = [shell.user_ns["_oh"][1], shell.user_ns["_1"], shell.user_ns["_"]]
    assert [one.ticket for one in results] == [held.ticket] * 3
    gone = weakref.ref(held)
    held.close()
    del held
    gc.collect()
    assert gone() is None
    with pytest.raises(AttributeError, match="run again"):
        shell.user_ns["_oh"][1].ticket  # noqa: B018
    assert "run again" in repr(shell.user_ns["_oh"][1])
    second.close()


def test_the_end_of_a_widget_says_nothing_when_modules_are_gone(
    make_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in close() is not raised by the widget's __del__ (E12)."""
    widget = AuthWidget(auth_manager=make_manager())

    def fail(self: object) -> None:
        raise TypeError("'NoneType' object is not callable")

    monkeypatch.setattr(AuthWidget, "close", fail)
    widget.__del__()


def test_a_gate_runs_what_was_put_off_once_it_is_open() -> None:
    gate, ran = Gate(), []
    assert not gate.put_off(lambda: ran.append("at once"))
    with gate, gate:
        assert gate.put_off(lambda: ran.append("later"))
        assert ran == []
    assert ran == ["later"]


def test_a_gate_keeps_nothing_alive() -> None:
    gate = Gate()
    gone = weakref.ref(gate)
    del gate
    assert gone() is None
