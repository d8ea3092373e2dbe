"""What a page and its user do with a widget that has a broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from tokentoss import AuthWidget
from tokentoss.broker import FakeBroker
from tokentoss.broker.fake.state import Attempt

ADA = "ada@example.com"
ORIGIN = "https://notebook.example"
Make = Callable[..., AuthWidget]


def until(condition: Callable[[], Any]) -> Any:
    ends = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < ends
        time.sleep(0.005)
    return found


def say(widget: AuthWidget, kind: str, identifier: str = "", text: str = "") -> None:
    """What the page says over the comm."""
    widget._take_message(None, {"type": "broker", "kind": kind, "id": identifier, "text": text}, None)


def offered(broker: FakeBroker, widget: AuthWidget) -> Attempt:
    """Show a widget and wait until it can be clicked."""
    widget._repr_mimebundle_()
    until(lambda: widget.broker)
    return broker.attempts[widget.broker["id"]]


def shown(broker: FakeBroker, widget: AuthWidget) -> AuthWidget:
    """Display a widget, until it listens to news and has asked for the accounts."""
    widget._repr_mimebundle_()
    until(lambda: len(broker.listeners) and asked(broker, "/v1/accounts"))
    until(lambda: widget.broker or widget.is_authenticated)
    return widget


def signed_in(broker: FakeBroker, widget: AuthWidget) -> AuthWidget:
    """Let the user of a displayed widget sign in as Ada."""
    broker.sign_in(offered(broker, widget), email=ADA)
    until(lambda: widget.is_authenticated)
    return widget


def asked(broker: FakeBroker, path: str) -> int:
    """How often a path was asked for."""
    return sum(one == path for _, one, _ in broker.requests)


def listens_anew(broker: FakeBroker, act: Callable[[], object]) -> None:
    """Do something that breaks the connection, until the next one has asked for the accounts."""
    connections, questions = asked(broker, "/v1/events"), asked(broker, "/v1/accounts")
    act()
    until(lambda: asked(broker, "/v1/events") > connections)
    until(lambda: asked(broker, "/v1/accounts") > questions)


def listening_threads() -> list[threading.Thread]:
    """The threads that listen to news."""
    return [one for one in threading.enumerate() if one.name == "tokentoss-broker-news"]
