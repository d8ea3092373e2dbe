"""Server-sent events are read, however their bytes are split."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from tokentoss.util import connections
from tokentoss.util.event_stream import LARGEST, Event, EventReader, EventStream
from tokentoss.util.failures import TransportError

STREAM = (
    "event: connected\r\ndata: {\r\ndata: }\r\n\r\n"
    ": quiet\n\n"
    "id: 7\ndata:é\n\n"
    "event: empty\n\n"
    "retry: x\nwhat\ndata: 1\n\n"
)
EVENTS = [Event("connected", "{\n}"), Event("message", "é"), Event("message", "1")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_events_are_put_together_from_any_pieces(size: int) -> None:
    content = STREAM.encode()
    reader = EventReader()
    found = [event for at in range(0, len(content), size) for event in reader.feed(content[at : at + size])]
    assert found == EVENTS


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert EventReader().feed(b"data: \xff\x00\n\n") == [Event("message", "\ufffd\x00")]


def test_what_is_cut_off_is_no_event() -> None:
    assert EventReader().feed(b"event: connected\ndata: {}\n") == []


@pytest.mark.parametrize("content", [b"x" * 1000, b"data: 1234567\n", b": a comment\n"])
def test_an_event_that_never_ends_is_too_large(content: bytes) -> None:
    reader = EventReader()

    def go_on() -> None:
        for _ in range(LARGEST):
            assert reader.feed(content) == []

    with pytest.raises(TransportError) as caught:
        go_on()
    assert caught.value.reason == "too_large"


def test_many_small_events_are_not() -> None:
    reader = EventReader()
    assert sum(len(reader.feed(b"data: 1\n\n")) for _ in range(LARGEST)) == LARGEST


def test_closed_while_it_connects_it_leaves_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = EventStream("http://127.0.0.1:9/v1/events", bearer="token", more_headers={})
    ours, theirs = socket.socketpair()

    def connected(*_: Any, **__: Any) -> socket.socket:
        stream.close()
        return ours

    monkeypatch.setattr(connections, "connect", connected)
    with theirs, pytest.raises(TransportError):
        next(stream.batches())
    assert ours.fileno() == -1
