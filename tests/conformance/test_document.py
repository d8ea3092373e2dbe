"""docs/conformance.md says what the suite runs, and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from .modules import FURTHER, MODULES, NOT_OFFERED

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
REQUIREMENTS = re.findall(r"^\| (C\d+) \| (.+) \| (.*) \|$", TEXT, re.MULTILINE)
MODULE_TESTS = "tests/conformance/test_modules.py"


def test_every_requirement_is_listed_once_and_in_order() -> None:
    assert [number for number, _, _ in REQUIREMENTS] == [f"C{number}" for number in range(1, 76)]


def test_what_no_test_shows_is_said_plainly() -> None:
    for number, _, shown_by in REQUIREMENTS:
        assert "::" in shown_by or shown_by.startswith("Not met: "), number
        assert "Not met: " not in shown_by or "::" not in shown_by, number


def test_every_named_test_exists_and_names_its_requirement() -> None:
    wrong = [
        f"{number}: {path}::{name}"
        for number, _, shown_by in REQUIREMENTS
        for path, name in re.findall(r"`([\w./-]+)::([^`]+)`", shown_by)
        if not names(number, path, name)
    ]
    assert wrong == []


def names(number: str, path: str, name: str) -> bool:
    """Whether a test exists and says, in its name or its text, which requirement it is for."""
    source = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else ""
    opening = {
        ".py": r"^\s*(?:async )?def (\w+)\(",
        ".rs": r"^\s*(?:async )?fn (\w+)\(",
        ".ts": r"\b(?:test|it)\(\s*\"([^\"]+)\"",
    }[Path(path).suffix]
    _, *parts = re.split(opening, source, flags=re.MULTILINE)
    for found, text in zip(parts[::2], parts[1::2], strict=True):
        if found == name:
            # A module is for whatever its fault is about: its name says which.
            mentions = re.search(rf"\b{number}\b|(?<![a-z]){number.lower()}_", f"{name} {text}")
            return path == MODULE_TESTS or mentions is not None
    return False


def test_the_modules_are_those_that_run() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| .+ \| (signed in|`\w+`) \|$", TEXT, re.MULTILINE)
    ends = [
        (module.name, "signed in" if module.code is None else f"`{module.code}`")
        for module in (*MODULES, *FURTHER)
    ]
    assert rows == ends


def test_the_modules_that_do_not_apply_are_named_with_the_reason() -> None:
    for name, reason in NOT_OFFERED.items():
        assert f"| `oidcc-client-test-{name}` | {reason} |" in TEXT
