"""The table of hosts in the documentation, which a test run writes and every other run checks."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "hosts.md"
BEGIN = "<!-- written by: pytest tests/hosts --write-host-table -->"
END = "<!-- end of what pytest writes -->"
HEADER = ("Host", "Browser", "Callback way", "Result", "Click to result")


@dataclass(frozen=True, order=True)
class Row:
    """What happens on one host, in one browser, by one callback way; `time` is in milliseconds or empty."""

    host: str
    browser: str
    way: str
    result: str = ""
    time: str = ""

    @property
    def case(self) -> tuple[str, str, str]:
        """What a test stands for; the rest is what it saw."""
        return self.host, self.browser, self.way


def render(rows: Iterable[Row]) -> str:
    """The rows as a table, in a fixed order."""
    lines = [HEADER, ("---",) * len(HEADER), *(astuple(row) for row in sorted(rows))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def parse(text: str) -> list[Row]:
    """The rows of a table as `render` makes it."""
    lines = text.strip().splitlines()[2:]
    return [Row(*(cell.strip() for cell in line[1:-1].split("|"))) for line in lines]


def read() -> list[Row]:
    """The rows of the document."""
    return parse(_parts()[1])


def write(rows: Iterable[Row]) -> None:
    """Replace the table of the document."""
    before, _, after = _parts()
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{render(rows)}\n\n{END}{after}")


def update(rows: Iterable[Row]) -> None:
    """Replace the rows of the same cases, add new ones, and keep all others."""
    write(merged(read(), rows))


def merged(before: Iterable[Row], rows: Iterable[Row]) -> list[Row]:
    """The rows of a table after a run that saw some of its cases."""
    return list(({row.case: row for row in before} | {row.case: row for row in rows}).values())


def _parts() -> tuple[str, str, str]:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after
