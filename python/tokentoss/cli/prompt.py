"""One line from whoever sits in front of the terminal, until it is of no use any more.

``input`` and ``getpass`` wait for ever, and a sign-in does not: its prompt ends with it. Where input cannot
be watched (no file behind ``sys.stdin``), they are used all the same, and the line is asked for to its end.
"""

from __future__ import annotations

import getpass
import io
import os
import select
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tokentoss.util.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TERMINAL = "/dev/tty"
"""The terminal of this process, whatever its standard streams are."""

SLICE = 0.25
"""Seconds between two looks at whether it is over."""

_LONGEST_LINE = 65_536
_BACKSPACES, _ENDS, _FUNCTION_KEYS = "\b\x7f", "\r\n", "\x00\xe0"
_INTERRUPT, _END_OF_FILE = "\x03", "\x1a"


def hidden_line(question: str, is_over: Callable[[], bool]) -> Secret | None:
    """Ask for a line that is not shown while it is typed; return None as soon as it is over.

    Args:
        question: What is asked.
        is_over: Tells whether nobody waits for the line any more.

    Raises:
        EOFError: If nobody answers.
    """
    if sys.platform == "win32" and sys.stdin is sys.__stdin__:
        import msvcrt  # noqa: PLC0415 - there is one on Windows alone

        return line_of_keys(msvcrt, question, is_over, is_shown=False)
    own = _descriptor()
    if own is None or sys.platform == "win32":
        return Secret(getpass.getpass(question))
    with _terminal(own) as (keyboard, screen):
        os.write(screen, question.encode(errors="replace"))
        with _without_echo(keyboard):
            line = _line(keyboard, is_over)
        # The user's own end of the line was not shown either.
        os.write(screen, b"\n")
    return line


def shown_line(question: str, write: Callable[[str], None], is_over: Callable[[], bool]) -> Secret | None:
    """Ask for a line of the standard input; return None as soon as it is over.

    Args:
        question: What is asked.
        write: Shows the question.
        is_over: Tells whether nobody waits for the line any more.

    Raises:
        EOFError: If nobody answers.
    """
    if sys.platform == "win32" and sys.stdin is sys.__stdin__:
        import msvcrt  # noqa: PLC0415 - there is one on Windows alone

        return line_of_keys(msvcrt, question, is_over, is_shown=True)
    write(question)
    own = _descriptor()
    if own is not None and sys.platform != "win32":
        line = _line(own, is_over)
        if line is None:
            write("\n")
        return line
    text = Secret(sys.stdin.readline(_LONGEST_LINE))
    if not text:
        raise EOFError
    return text


class Keys(Protocol):
    """What ``msvcrt`` has."""

    def kbhit(self) -> bool:
        """Tell whether a key was pressed."""

    def getwch(self) -> str:
        """Return the key, and wait for one if none was."""

    def putwch(self, unicode_char: str, /) -> None:
        """Show a character."""


def line_of_keys(keys: Keys, question: str, is_over: Callable[[], bool], *, is_shown: bool) -> Secret | None:
    """Ask for a line key by key, as a Windows console gives them; return None as soon as it is over.

    Raises:
        EOFError: If nobody answers.
        KeyboardInterrupt: If the user ends it.
    """
    _put(keys, question)
    text = Secret("")
    while (key := _pressed(keys, is_over)) is not None and key not in _ENDS:
        if key in _FUNCTION_KEYS:
            keys.getwch()
        elif key in _BACKSPACES:
            if text and is_shown:
                _put(keys, "\b \b")
            text = Secret(text[:-1])
        elif len(text) < _LONGEST_LINE:
            text = Secret(text + key)
            if is_shown:
                _put(keys, key)
    _put(keys, "\r\n")
    return None if key is None else text


def _pressed(keys: Keys, is_over: Callable[[], bool]) -> str | None:
    """Wait for a key; return None as soon as it is over.

    Raises:
        EOFError: If nobody answers.
        KeyboardInterrupt: If the user ends it.
    """
    while not keys.kbhit():
        if is_over():
            return None
        time.sleep(SLICE / 5)
    key = keys.getwch()
    if key == _INTERRUPT:
        raise KeyboardInterrupt
    if key == _END_OF_FILE:
        raise EOFError
    return key


def _put(keys: Keys, text: str) -> None:
    for character in text:
        keys.putwch(character)


def _descriptor() -> int | None:
    """Return the file descriptor of the standard input; None where there is none."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
        return None


@contextmanager
def _terminal(own: int) -> Iterator[tuple[int, int]]:
    """Open what is typed at, and what is seen: the terminal itself, or else the standard streams."""
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield own, sys.stderr.fileno()
        return
    try:
        yield terminal, terminal
    finally:
        os.close(terminal)


@contextmanager
def _without_echo(keyboard: int) -> Iterator[None]:
    """Have a terminal not show what is typed; a pipe shows nothing anyway."""
    if sys.platform == "win32" or not os.isatty(keyboard):
        yield
        return
    import termios  # noqa: PLC0415 - there is none on Windows

    before = termios.tcgetattr(keyboard)
    silent = termios.tcgetattr(keyboard)
    silent[3] &= ~termios.ECHO
    # What was typed before the question is thrown away, and so is half a line after it.
    termios.tcsetattr(keyboard, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)


def _line(keyboard: int, is_over: Callable[[], bool]) -> Secret | None:
    """Read a line, and no byte behind it.

    Raises:
        EOFError: If there is none.
    """
    line = bytearray()
    try:
        while len(line) < _LONGEST_LINE:
            if not select.select([keyboard], [], [], SLICE)[0]:
                if is_over():
                    return None
                continue
            byte = os.read(keyboard, 1)
            if not byte and not line:
                raise EOFError
            if not byte or byte == b"\n":
                break
            line += byte
        return Secret(line.decode(sys.stdin.encoding or "utf-8", "replace"))
    finally:
        line[:] = bytes(len(line))
