"""What a page and its user do with a widget that has a broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tokentoss import AuthWidget
from tokentoss.broker import FakeBroker
from tokentoss.broker.fake.state import Attempt

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
