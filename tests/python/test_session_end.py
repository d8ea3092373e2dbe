"""The end of a session is noticed on time, on a virtual clock."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tokentoss
from fake_provider import FakeProvider
from simulated_time import Clock
from test_accounts import of, sign_in
from test_auth_manager import response
from test_widget import message, updates
from tokentoss import AuthManager, AuthWidget, Broker, FileStorage, MemoryStorage
from tokentoss.broker import FakeBroker
from tokentoss.session import current_tokens, endings
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.storage.token_data import iso_time

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
HOUR = 3600.0
MOMENT = 31.0
"""Seconds in which an end must be noticed."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Time that stands still until a test moves it; it begins now, so that the provider's tokens are good."""
    clock = Clock()
    clock.error = time.time() - clock.true_time
    monkeypatch.setattr(endings, "threading", clock.primitives())
    monkeypatch.setattr(current_tokens, "endings", endings.Endings())
    monkeypatch.setattr(time, "time", clock.wall)
    yield clock
    monkeypatch.undo()


def let_pass(clock: Clock, seconds: float) -> None:
    """Let time go by as it does, in steps shorter than anything waits."""
    run(clock)
    ends = clock.true_time + seconds
    while clock.true_time < ends:
        clock.pass_by(min(10.0, ends - clock.true_time))
        run(clock)


def run(clock: Clock) -> None:
    for thread in clock.runnable():
        thread.resume()


def short(make_manager: Make, fake: FakeProvider, **members: Any) -> AuthManager:
    manager = make_manager(max_session_lifetime_hours=1, **members)
    sign_in(manager, fake, "ada")
    return manager


def said(widget: AuthWidget) -> tuple[bool, bool, bool, str, str]:
    return (
        widget.is_authenticated,
        bool(widget.ticket),
        bool(widget.notice),
        widget.error,
        widget.error_code,
    )


ENDED = (False, True, True, "", "")


def test_the_widget_says_so_at_that_time(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    storage = MemoryStorage()
    widget = AuthWidget(auth_manager=short(make_manager, fake, storage=storage))
    let_pass(clock, HOUR - 60)
    assert widget.is_authenticated
    let_pass(clock, 70)
    assert said(widget) == ENDED
    assert widget.status == widget.notice
    assert widget.ticket["login_hint"] is None
    assert (storage.load(), tokentoss.CREDENTIALS) == (None, None)
    before = len(updates(widget))
    let_pass(clock, HOUR)
    assert len(updates(widget)) == before, "said once"
    assert clock.threads == [], "nothing is left to wait for"


def test_tokens_that_cannot_be_renewed(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    token = fake.id_token(nonce="n", exp=int(time.time()) + 600)
    manager.accept(response(fake, id_token=token, refresh_token=None, expires_in=600.0), nonce="n")
    widget = AuthWidget(auth_manager=manager)
    let_pass(clock, 590)
    assert widget.is_authenticated
    let_pass(clock, 40)
    assert said(widget) == ENDED
    assert widget.ticket["login_hint"] == "ada@example.com", "it is known who has to sign in again"
    before = len(updates(widget))
    let_pass(clock, 600)
    assert len(updates(widget)) == before, "said once"


def test_a_sign_in_after_the_end_is_watched_again(
    clock: Clock, make_manager: Make, fake: FakeProvider
) -> None:
    widget = AuthWidget(auth_manager=short(make_manager, fake))
    for _ in range(2):
        let_pass(clock, HOUR + 60)
        assert said(widget) == ENDED
        sign_in(widget.auth_manager, fake, "ada")
        assert said(widget) == (True, False, False, "", "")


def test_a_computer_that_slept(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    """A session that ended during a sleep of the computer is noticed afterwards."""
    widget = AuthWidget(auth_manager=short(make_manager, fake))
    run(clock)
    clock.error += 2 * HOUR
    let_pass(clock, MOMENT)
    assert said(widget) == ENDED


def test_a_clock_that_was_wrong(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=short(make_manager, fake))
    run(clock)
    clock.error -= HOUR
    let_pass(clock, HOUR + 60)
    assert widget.is_authenticated, "by the clock that is set now, there is an hour left"
    let_pass(clock, HOUR)
    assert said(widget) == ENDED


def test_another_process_signed_in_meanwhile(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=short(make_manager, fake, storage=FileStorage()))
    let_pass(clock, HOUR - 60)
    sign_in(make_manager(storage=FileStorage()), fake, "ada")
    let_pass(clock, 120)
    assert widget.is_authenticated
    let_pass(clock, HOUR)
    assert said(widget) == ENDED


def test_several_widgets_and_managers(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    first, second = short(make_manager, fake), short(make_manager, fake)
    widgets = [AuthWidget(auth_manager=one) for one in (first, first, second)]
    closed = AuthWidget(auth_manager=first)
    closed.close()
    let_pass(clock, HOUR + 60)
    assert [said(one) for one in widgets] == [ENDED] * 3
    assert len(clock.threads) <= 1


def test_who_is_collected_is_watched_no_more(clock: Clock, make_manager: Make, fake: FakeProvider) -> None:
    manager = short(make_manager, fake)
    heard = Heard()
    manager.observe_session(heard.hear)
    let_pass(clock, 60)
    assert len(clock.threads) == 1
    gone = weakref.ref(manager)
    tokentoss.CREDENTIALS = None
    del manager
    gc.collect()
    assert gone() is None
    let_pass(clock, MOMENT)
    assert clock.threads == []
    assert heard.count == 0


class Heard:
    count = 0

    def hear(self) -> None:
        self.count += 1


def test_a_stored_session_that_is_over_is_no_error(make_manager: Make, fake: FakeProvider) -> None:
    """A stored session that has ended is shown as ended."""
    storage = MemoryStorage()
    storage.save(of(fake, "ada", created_at=iso_time(time.time() - 25 * HOUR)))
    widget = AuthWidget(auth_manager=make_manager(storage=storage))
    assert said(widget) == ENDED


def test_the_notice_goes_with_the_next_sign_in(make_manager: Make, fake: FakeProvider) -> None:
    storage = MemoryStorage()
    storage.save(of(fake, "ada", created_at=iso_time(time.time() - 25 * HOUR)))
    widget = AuthWidget(auth_manager=make_manager(storage=storage))
    report = {"type": "report", "ticket": widget.ticket["id"], "page": 1, "number": 1, "phase": "waiting"}
    message(widget, report | {"way": "loopback"})
    assert widget.notice == ""


def test_a_broker_says_itself_when_a_session_ends(broker: FakeBroker, clock: Clock) -> None:
    broker.connect("google", email="ada@example.com")
    manager = BrokerManager(Broker(broker.url, key=broker.key))
    assert manager.look()
    manager.observe_session(Heard().hear)
    assert manager.session_ends_at is None
    assert clock.threads == []


def test_sessions_without_an_end(make_manager: Make, fake: FakeProvider, clock: Clock) -> None:
    manager = make_manager(max_session_lifetime_hours=float("inf"))
    sign_in(manager, fake, "ada")
    manager.observe_session(Heard().hear)
    assert manager.session_ends_at is None
    assert clock.threads == []


def test_without_threads(make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without threads, the event loop notices the session's end."""

    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def wait_for_end() -> bool:
        manager = make_manager(max_session_lifetime_hours=1 / HOUR)
        sign_in(manager, fake, "ada")
        heard = Heard()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            manager.observe_session(heard.hear)
        ends = time.monotonic() + 20
        while not heard.count and time.monotonic() < ends:  # noqa: ASYNC110 - it is told from the loop itself
            await asyncio.sleep(0.01)
        return not manager.is_authenticated

    assert asyncio.run(wait_for_end())


def test_an_observer_that_fails_stops_nobody(
    clock: Clock, make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = short(make_manager, fake), short(make_manager, fake)
    widget = AuthWidget(auth_manager=second)
    first.observe_session(Heard().hear)

    def fail() -> None:
        raise ValueError

    monkeypatch.setattr(first, "end_if_over", fail)
    let_pass(clock, HOUR + 60)
    assert said(widget) == ENDED
