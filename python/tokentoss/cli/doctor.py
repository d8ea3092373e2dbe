"""``tokentoss doctor``: what stands in the way of a sign-in."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from tokentoss.cli.terminal import Terminal
from tokentoss.doctor import examine

if TYPE_CHECKING:
    from tokentoss.doctor import Finding, Level, Section

_MARKS: dict[Level, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "note": ("--", "dim"),
    "warning": ("!!", "yellow"),
    "error": ("XX", "red"),
}
_COLUMN = 20


def run(as_json: bool) -> int:
    """Examine and print; return 1 if something is wrong.

    Args:
        as_json: Whether to print JSON instead of text.
    """
    sections = examine()
    findings = [finding for section in sections for finding in section.findings]
    errors = sum(finding.level == "error" for finding in findings)
    terminal = Terminal()
    if as_json:
        report = {"ok": errors == 0, "sections": [section.to_dict() for section in sections]}
        terminal.line(json.dumps(report, indent=2))
    else:
        for section in sections:
            _show(terminal, section)
        terminal.line(_summary(terminal, errors, sum(finding.level == "warning" for finding in findings)))
    return 1 if errors else 0


def _show(terminal: Terminal, section: Section) -> None:
    terminal.line(terminal.paint(section.title, "bold"))
    for finding in section.findings:
        _show_finding(terminal, finding)
    terminal.line()


def _show_finding(terminal: Terminal, finding: Finding) -> None:
    mark, colour = _MARKS[finding.level]
    indent = " " * (_COLUMN + 5)
    first, *others = textwrap.wrap(finding.shown, terminal.width - len(indent), break_long_words=False) or [
        ""
    ]
    terminal.line(f"  {terminal.paint(mark, colour)} {finding.name:<{_COLUMN}}{first}")
    for line in others:
        terminal.line(indent + line)
    for line in textwrap.wrap(
        finding.hint, terminal.width - len(indent), break_long_words=False, break_on_hyphens=False
    ):
        terminal.line(indent + terminal.paint(line, colour))


def _summary(terminal: Terminal, errors: int, warnings: int) -> str:
    def count(number: int, name: str) -> str:
        return f"{number} {name}{'' if number == 1 else 's'}"

    if errors:
        return terminal.paint(f"{count(errors, 'error')}, {count(warnings, 'warning')}.", "red", "bold")
    if warnings:
        return terminal.paint(f"No errors, {count(warnings, 'warning')}.", "yellow", "bold")
    return terminal.paint("Everything is in order.", "green", "bold")
