"""Cells that wait for a sign-in."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import FakeProvider
from page import Page
from test_addresses import PAGE, web
from test_auth_manager import signed_in
from test_widget import from_page, message
from tokentoss import Account, AuthManager, AuthWidget, HandOffError, SignInError, TokenTossError

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def widget(make_manager: Make) -> AuthWidget:
    return AuthWidget(auth_manager=make_manager())


class Cell:
    """Waits in a thread of its own, as far as the test is concerned."""

    def __init__(self, widget: AuthWidget, timeout: float | None = 60, *, run: Any = None) -> None:
        self.result: Any = None
        self._run = run or (lambda: widget.wait(timeout))
        self._thread = threading.Thread(target=self._work, daemon=True)
        others = len(widget._waiters._outcomes)
        self._thread.start()
        while len(widget._waiters._outcomes) <= others and self._thread.is_alive():
            pass

    def _work(self) -> None:
        try:
            self.result = self._run()
        except Exception as failure:  # noqa: BLE001 - what the cell would show
            self.result = failure

    def end(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.result


def both(widget: AuthWidget) -> list[Cell]:
    return [Cell(widget), Cell(widget, run=lambda: asyncio.run(widget.signed_in(60)))]


def test_signed_in_already(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=signed_in(make_manager, fake))
    account = widget.wait(timeout=0)
    assert isinstance(account, Account)
    assert (account.email, account.issuer) == ("ada@example.com", fake.issuer)
    assert asyncio.run(widget.signed_in(timeout=0)) == account


def test_by_the_listeners_thread(widget: AuthWidget, fake: FakeProvider) -> None:
    cells = both(widget)
    page = Page(widget.ticket)
    token = page.reach_callback()
    assert page.post("/tokentoss/deliver", page_token=token, sealed=page.envelope(fake)).json() == {
        "code": ""
    }
    assert [cell.end().email for cell in cells] == ["ada@example.com"] * 2
    assert not widget._waiters._outcomes


def test_the_widget_shows_it_before_the_cell_goes_on(widget: AuthWidget, fake: FakeProvider) -> None:
    cell = Cell(widget, run=lambda: (widget.wait(60), widget.status, widget.ticket))
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    account, status, ticket = cell.end()
    assert (status, ticket) == (f"Signed in as {account.email}", {})


def test_by_another_widget_of_the_same_manager(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    one, other = AuthWidget(auth_manager=manager), AuthWidget(auth_manager=manager)
    cell = Cell(one)
    from_page(other, sealed_tokens=Page(other.ticket).envelope(fake))
    assert cell.end().email == "ada@example.com"


def test_nobody_signs_in(widget: AuthWidget) -> None:
    with pytest.raises(SignInError, match=r"0\.05 s") as late:
        widget.wait(timeout=0.05)
    assert late.value.code == "wait_timed_out"
    with pytest.raises(SignInError, match=r"0\.05 s"):
        asyncio.run(widget.signed_in(timeout=0.05))
    assert not widget._waiters._outcomes


def test_a_refused_envelope(widget: AuthWidget, fake: FakeProvider) -> None:
    cells = both(widget)
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"nonce": "other"}))
    for cell in cells:
        failure = cell.end()
        assert isinstance(failure, TokenTossError)
        assert failure.code == "id_token_nonce_mismatch"
    later = Cell(widget)
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert later.end().email == "ada@example.com", "the failure of before is over"


def test_the_page_reports_a_failure(widget: AuthWidget) -> None:
    cell = Cell(widget)
    report = {"type": "report", "ticket": widget.ticket["id"], "code": "", "subject": ""}
    message(widget, report | {"phase": "waiting"})
    message(widget, report | {"phase": "failed", "code": "access_denied"})
    assert cell.end().code == "access_denied"


def test_a_failure_that_was_overtaken_ends_nothing(widget: AuthWidget, fake: FakeProvider) -> None:
    """A late report of an earlier attempt's failure does not end the wait."""
    cell = Cell(widget)
    report = {"type": "report", "ticket": widget.ticket["id"], "code": "", "subject": "", "page": 0.5}
    message(widget, report | {"number": 3, "phase": "waiting"})
    message(widget, report | {"number": 2, "phase": "failed", "code": "popup_blocked"})
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert cell.end().email == "ada@example.com"


def test_closed(widget: AuthWidget) -> None:
    cells = both(widget)
    widget.close()
    assert [cell.end().code for cell in cells] == ["widget_closed"] * 2
    with pytest.raises(SignInError) as refused:
        widget.wait()
    assert refused.value.code == "widget_closed"


def test_no_second_way(make_manager: Make, fake: FakeProvider) -> None:
    """Without a listener, wait() raises at once, while signed_in() waits."""
    widget = AuthWidget(auth_manager=make_manager(client_config=web(PAGE)))
    with pytest.raises(SignInError) as refused:
        widget.wait(timeout=None)
    assert refused.value.code == "wait_impossible"
    assert "next cell" in str(refused.value)
    cell = Cell(widget, run=lambda: asyncio.run(widget.signed_in(60)))
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake, {"aud": "c"}))
    assert cell.end().email == "ada@example.com", "an event loop that runs hears of it"


def test_no_port(make_manager: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        widget = AuthWidget(auth_manager=make_manager(), redirect_ports=[port])
        with pytest.raises(HandOffError) as refused:
            widget.wait(timeout=None)
    assert refused.value.code == "loopback_unavailable"


def test_an_interrupt_ends_it(widget: AuthWidget) -> None:
    def interrupt() -> None:
        while not widget._waiters._outcomes:
            pass
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        widget.wait(timeout=60)
    thread.join()
    assert not widget._waiters._outcomes


def test_a_cancelled_task_waits_no_more(widget: AuthWidget, fake: FakeProvider) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(widget.signed_in())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not widget._waiters._outcomes
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.is_authenticated


def test_a_session_that_the_clock_ended(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that has ended is noticed by a ping and by wait()."""
    manager = signed_in(make_manager, fake)
    asked, awaited = (AuthWidget(auth_manager=manager) for _ in range(2))
    later = time.time() + 25 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert (asked.ticket, asked.is_authenticated) == ({}, True)
    asked._take_message(asked, {"type": "ping", "id": 1}, [])
    assert asked.ticket
    assert not asked.is_authenticated
    with pytest.raises(SignInError) as waited:
        awaited.wait(timeout=0)
    assert waited.value.code == "wait_timed_out"
    assert awaited.ticket
