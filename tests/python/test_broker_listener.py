"""The thread that listens to a broker's events: its managers, its errors and its end."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import weakref
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from broker_steps import (
    ADA,
    Make,
    asked,
    listening_threads,
    listens_anew,
    offered,
    say,
    shown,
    signed_in,
    until,
)
from forked import assert_in_child, needs_fork
from tokentoss import AuthWidget, GoogleAuthWidget, TokenRefreshError
from tokentoss.broker import ConnectedAccount, FakeBroker, news
from tokentoss.broker.tokens import BrokeredTokens

SIGNED_IN = f"Signed in as {ADA}"


def test_a_renewal_is_no_news(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    listens_anew(broker, broker.listeners.cut)
    questions = asked(broker, "/v1/accounts")
    broker.listeners.send("event: renewed\ndata: {}\n\nevent: unheard_of\ndata: {}\n\n: quiet\n\n")
    displayed.auth_manager.refresh_tokens()
    # Whatever came before that question has been read.
    listens_anew(broker, broker.listeners.cut)
    assert asked(broker, "/v1/accounts") == questions + 1


def test_what_happened_while_the_connection_was_down(broker: FakeBroker, displayed: AuthWidget) -> None:
    def happens_unheard() -> None:
        broker.listeners.cut()
        grant = broker.connect("google", email=ADA)
        assert grant in broker.grants

    listens_anew(broker, happens_unheard)
    until(lambda: displayed.is_authenticated)
    assert displayed.status == SIGNED_IN


@pytest.mark.parametrize(
    "garbage",
    [
        "event: connected\ndata: {{{\n\n",
        'event: connected\ndata: {"account": ["x"], "provider": 7}\n\n',
        "event: disconnected\ndata: null\n\n",
        "\x00\x01\n\n\r\r\nevent\n: x\ndata\n\n",
        "<!doctype html><p>Bad gateway</p>\n\n",
    ],
)
def test_garbage_shows_nothing_and_stops_nothing(
    broker: FakeBroker, displayed: AuthWidget, garbage: str
) -> None:
    before = displayed.status, displayed.error
    broker.listeners.send(garbage)
    listens_anew(broker, broker.listeners.cut)
    assert (displayed.status, displayed.error, displayed.is_authenticated) == (*before, False)
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)


def test_an_event_without_end_is_cut_off(broker: FakeBroker, displayed: AuthWidget) -> None:
    listens_anew(broker, lambda: broker.listeners.send("data: " + 70_000 * "x"))
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)


def test_a_flood_costs_few_questions(
    broker: FakeBroker, displayed: AuthWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "ASK_GAP", 0.5)
    questions = asked(broker, "/v1/accounts")
    for _ in range(60):
        broker.listeners.send("event: connected\ndata: {}\n\n")
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)
    assert asked(broker, "/v1/accounts") - questions <= 5


def test_a_user_with_too_many_listeners_hears_of_it_later(
    broker: FakeBroker, brokered: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ExitStack() as listeners:
        for _ in range(16):
            answer = requests.get(
                f"{broker.url}/v1/events",
                headers={"Authorization": f"Bearer {broker.key}"},
                stream=True,
                timeout=20,
            )
            assert listeners.enter_context(answer).status_code == 200
        widget = brokered()
        offered(broker, widget)
        until(lambda: asked(broker, "/v1/accounts"))
        broker.connect("google", email=ADA)
        until(lambda: widget.is_authenticated)
        assert len(broker.listeners) == 16
    assert (widget.status, widget.error) == (SIGNED_IN, "")
    assert not [one for one in caplog.records if "news" in one.message]


def test_a_broker_that_goes_away_is_no_news(
    broker: FakeBroker, displayed: AuthWidget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    signed_in(broker, displayed)
    broker.close()
    (thread,) = listening_threads()
    until(lambda: news._listeners[broker.broker()]._failures >= 3)
    assert thread.is_alive()
    assert (displayed.status, displayed.error) == (SIGNED_IN, "")
    assert not [one for one in caplog.records if one.name == news.__name__]


def test_one_who_cannot_act_on_news_is_told_again_and_stops_nobody(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = shown(broker, brokered()), shown(broker, brokered())
    find = one.auth_manager._find  # type: ignore[attr-defined]
    failures = [TokenRefreshError(code="storage_unavailable")]

    def fail_once(own: list[ConnectedAccount], before: BrokeredTokens) -> None:
        if own and failures:
            raise failures.pop()
        find(own, before)

    monkeypatch.setattr(one.auth_manager, "_find", fail_once)
    broker.connect("google", email=ADA)
    until(lambda: two.is_authenticated)
    until(lambda: one.is_authenticated)
    assert failures == []


def test_all_widgets_share_one_thread_which_ends_with_them(broker: FakeBroker, brokered: Make) -> None:
    one, two = shown(broker, brokered()), shown(broker, brokered())
    (thread,) = listening_threads()
    assert len(broker.listeners) == 1
    assert thread.daemon
    one.close()
    broker.connect("google", email=ADA)
    until(lambda: two.is_authenticated)
    assert not one.is_authenticated
    two.close()
    two.close()
    until(lambda: not thread.is_alive())
    until(lambda: len(broker.listeners) == 0)
    assert news._listeners == {}


def test_it_ends_with_a_widget_that_is_collected(broker: FakeBroker) -> None:
    widget: Any = shown(broker, GoogleAuthWidget(broker=broker.broker()))
    (thread,) = listening_threads()
    gone = weakref.ref(widget)
    widget.let_go()
    del widget
    until(lambda: (gc.collect() and gone() is None) or gone() is None)
    until(lambda: not thread.is_alive())


def test_nobody_listens_for_what_is_not_shown(broker: FakeBroker, brokered: Make) -> None:
    brokered()
    assert listening_threads() == []
    assert broker.requests == []


def test_a_page_that_is_loaded_again_listens_too(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    say(widget, "page", text="https://notebook.example")
    until(lambda: len(broker.listeners) == 1)


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_leaves_its_parents_listener_alone(
    broker: FakeBroker, displayed: AuthWidget
) -> None:
    def check() -> bool:
        displayed._attempt.close()
        return news._listeners == {} and news._lock.acquire(timeout=5)

    with news._lock:
        assert_in_child(check)
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)


def test_it_does_not_keep_a_process_from_its_end(broker: FakeBroker) -> None:
    program = """
import os
from tokentoss import Broker, GoogleAuthWidget
widget = GoogleAuthWidget(broker=Broker(os.environ["BROKER"], os.environ["KEY"]))
widget._repr_mimebundle_()
print("shown", flush=True)
input()
"""
    env = {**os.environ, "BROKER": broker.url, "KEY": broker.key, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        until(lambda: len(broker.listeners) == 1)
        process.communicate("\n", timeout=20)
    assert process.returncode == 0
    until(lambda: len(broker.listeners) == 0)
