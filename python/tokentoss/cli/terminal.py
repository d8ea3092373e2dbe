"""Text for a terminal: in the user's language, in colours where there are any, values beside labels."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from tokentoss import texts

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_NARROWEST, _WIDEST = 60, 100
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def said(name: str, /, **values: str) -> str:
    """Return a text of the command in the language of this process.

    Args:
        name: Its name in the section ``command_line`` of the table of texts.
        **values: What its placeholders stand for.
    """
    return texts.text("command_line", name, **values)


class Terminal:
    """Writes lines to a stream.

    Args:
        stream: Where to; by default standard output.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        # https://no-color.org; terminals that say "dumb" would show the codes.
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._has_colours = self._stream.isatty() and not is_plain

    @property
    def width(self) -> int:
        """Columns to write in: those of the terminal or of ``COLUMNS``, between 60 and 100."""
        return max(_NARROWEST, min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST))

    def line(self, text: str = "") -> None:
        """Write one line; characters that the stream cannot encode are replaced."""
        self.write(text + "\n")

    def row(self, label: str, value: str, column: int, *styles: str) -> None:
        """Write a value beside its label.

        Args:
            label: The label; empty for a further value below.
            value: The value.
            column: Where the value begins, as :func:`column_beside` says.
            *styles: What the label is painted in.
        """
        self.line(self.paint(label, *styles) + " " * (column - len(label)) + value)

    def write(self, text: str) -> None:
        """Write text, at once where somebody waits for it in front of a terminal."""
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        if self._stream.isatty():
            self._stream.flush()

    def paint(self, text: str, *styles: str) -> str:
        """Return the text in bold, dim, red, green or yellow, where there are colours."""
        if not self._has_colours or not styles:
            return text
        codes = ";".join(_CODES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"


def column_beside(*labels: str) -> int:
    """Return the column in which values begin beside these labels."""
    return max(map(len, labels)) + 2


def duration(seconds: float) -> str:
    """Return a length of time in one or two units, such as ``43 min`` or ``2 h 5 min``.

    Days are a word. It fits after "in" and beside "ago", so the texts use lengths of time nowhere else.
    """
    seconds = max(0.0, seconds)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        minutes = f"{seconds % _HOUR // _MINUTE:.0f} min"
        hours = f"{seconds // _HOUR:.0f} h"
        return hours if minutes == "0 min" else f"{hours} {minutes}"
    return said("days", number=f"{seconds // _DAY:.0f}")
