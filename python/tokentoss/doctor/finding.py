"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["ok", "note", "warning", "error"]
"""How a finding is to be taken: fine, merely so, likely in the way, or in the way for sure."""

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Finding:
    """One fact.

    Args:
        name: What was looked at.
        value: What was found, for programs.
        level: How it is to be taken.
        text: What was found, for people; by default the value.
        hint: The next step.
    """

    name: str
    value: Value
    level: Level = "ok"
    text: str = ""
    hint: str = ""

    @property
    def shown(self) -> str:
        """What was found, for people."""
        return self.text or str(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return {
            "name": self.name,
            "value": self.value,
            "level": self.level,
            "text": self.shown,
            "hint": self.hint,
        }


@dataclass(frozen=True)
class Section:
    """Findings about one thing."""

    title: str
    findings: list[Finding] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the section as JSON has it."""
        return {"title": self.title, "findings": [finding.to_dict() for finding in self.findings]}
