"""The terminal's prompts read what is typed in time and end with their sign-in."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tokentoss.broker import FakeBroker
from tokentoss.cli import main, prompt
from tokentoss.handoff import kernel_sign_in

NEVER = lambda: False  # noqa: E731


class Terminal:
    """A terminal of its own, which the test types at."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.keyboard = os.fdopen(os.dup(self.slave), "r")
        self.screen = os.fdopen(os.dup(self.slave), "w")

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def read(self) -> str:
        seen = b""
        while select.select([self.master], [], [], 0.1)[0]:
            seen += os.read(self.master, 65_536)
        return seen.decode()

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self) -> None:
        self.keyboard.close()
        self.screen.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal()
    monkeypatch.setattr(prompt, "TERMINAL", "/dev/null/none")
    monkeypatch.setattr(prompt, "SLICE", 0.02)
    yield made
    made.close()


def sit_down(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the test itself, because pytest sets the streams before it."""
    monkeypatch.setattr(sys, "stdin", terminal.keyboard)
    monkeypatch.setattr(sys, "stderr", terminal.screen)


def when(condition: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        ends = time.monotonic() + 20
        while not condition() and time.monotonic() < ends:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_hidden_line_is_not_shown(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_down(terminal, monkeypatch)
    typing = when(lambda: not terminal.echoes(), lambda: terminal.type("geheim-\u00e4 b\n".encode()))
    line = prompt.hidden_line("Address: ", NEVER)
    typing.join()
    assert line == "geheim-\u00e4 b"
    assert "geheim" not in repr(line)
    assert terminal.read() == "Address: \r\n"
    assert terminal.echoes()


def test_a_shown_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_down(terminal, monkeypatch)
    terminal.type(b"ABCD\nrest\n")
    said: list[str] = []
    assert prompt.shown_line("Code: ", said.append, NEVER) == "ABCD"
    assert prompt.shown_line("Code: ", said.append, NEVER) == "rest", "and not a byte too much"
    assert said == ["Code: "] * 2


@pytest.mark.parametrize("hidden", [True, False])
def test_nobody_waits_for_what_is_over(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, *, hidden: bool
) -> None:
    sit_down(terminal, monkeypatch)
    ends = time.monotonic() + 0.3
    is_over = lambda: time.monotonic() >= ends  # noqa: E731
    half = when(lambda: not hidden or not terminal.echoes(), lambda: terminal.type(b"half a line"))
    said: list[str] = []
    line = prompt.hidden_line("?", is_over) if hidden else prompt.shown_line("?", said.append, is_over)
    half.join()
    assert line is None
    assert terminal.echoes()
    assert time.monotonic() < ends + 5


def test_the_end_of_input(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_down(terminal, monkeypatch)
    typing = when(lambda: not terminal.echoes(), lambda: terminal.type(b"\x04"))
    with pytest.raises(EOFError):
        prompt.hidden_line("?", NEVER)
    typing.join()
    assert terminal.echoes()


def test_a_pipe(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, os.fdopen(writing, "wb", 0) as pen:
        monkeypatch.setattr(sys, "stdin", pipe)
        monkeypatch.setattr(sys, "stderr", terminal.screen)
        pen.write(b"one\ntwo")
        assert prompt.hidden_line("?", NEVER) == "one"
        ends = time.monotonic() + 0.2
        assert prompt.hidden_line("?", lambda: time.monotonic() >= ends) is None
        pen.write(b"three")
        pen.close()
        assert prompt.shown_line("?", lambda _text: None, NEVER) == "three"
        with pytest.raises(EOFError):
            prompt.shown_line("?", lambda _text: None, NEVER)


class Console:
    """What Windows has in place of a terminal."""

    def __init__(self, typed: str) -> None:
        self.typed = list(typed)
        self.screen = ""

    def kbhit(self) -> bool:
        return bool(self.typed)

    def getwch(self) -> str:
        return self.typed.pop(0)

    def putwch(self, unicode_char: str, /) -> None:
        self.screen += unicode_char


def test_a_console_of_windows() -> None:
    console = Console("abx\b\xe0Kc\r")
    assert prompt.line_of_keys(console, "Code: ", NEVER, is_shown=True) == "abc"
    assert console.screen == "Code: abx\b \bc\r\n"
    console = Console("geheim\r")
    assert prompt.line_of_keys(console, "?", NEVER, is_shown=False) == "geheim"
    assert console.screen == "?\r\n"
    console = Console("half")
    assert prompt.line_of_keys(console, "?", lambda: True, is_shown=False) is None
    for key, kind in (("\x03", KeyboardInterrupt), ("\x1a", EOFError)):
        with pytest.raises(kind):
            prompt.line_of_keys(Console(key), "?", NEVER, is_shown=False)


def in_time(arguments: list[str]) -> int:
    began = time.monotonic()
    code = main(arguments)
    assert time.monotonic() - began < 15
    return code


@pytest.mark.usefixtures("configured")
def test_the_question_for_the_address_ends_with_the_sign_in(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, fake: Any
) -> None:
    monkeypatch.setattr(kernel_sign_in, "LIFETIME", 0.3)
    sit_down(terminal, monkeypatch)
    assert in_time(["sign-in", "--no-browser", "--provider", fake.issuer]) == 1
    seen = terminal.read()
    assert "Address (not shown): " in seen
    assert seen.endswith("error: The sign-in wasn't finished in time. Try again.\r\n")
    assert terminal.echoes()


def test_the_question_for_the_code_ends_with_the_sign_in_at_the_broker(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, broker: FakeBroker
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    broker.authorization_lifetime = 3.0
    sit_down(terminal, monkeypatch)
    back = when(
        lambda: bool(broker.attempts),
        lambda: broker.return_from_provider(broker.offered(), email="ada@example.com"),
    )
    assert in_time(["sign-in", "--no-browser"]) == 1
    back.join()
    seen = terminal.read()
    assert "Code that the page shows: " in seen
    assert f"error: The sign-in at {broker.url} has ended. Sign in again." in seen
    assert broker.grants == []
