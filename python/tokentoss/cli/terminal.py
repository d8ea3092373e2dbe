"""Text for a terminal: colours where there are any, durations in words, values under their names."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_NARROWEST, _WIDEST = 60, 100
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


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


def duration(seconds: float) -> str:
    """Return a length of time in one or two units, such as ``43 min`` or ``2 h 5 min``."""
    seconds = max(0.0, seconds)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        minutes = f"{seconds % _HOUR // _MINUTE:.0f} min"
        hours = f"{seconds // _HOUR:.0f} h"
        return hours if minutes == "0 min" else f"{hours} {minutes}"
    return f"{seconds // _DAY:.0f} days"
