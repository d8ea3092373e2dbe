"""The table of faults names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "internals" / "faults.md"


def named_tests() -> list[tuple[str, str, str]]:
    """Return the fault, the file and the name of each test of the table."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4 or not re.match(r"[A-Za-z]+ ?\d", cells[0]):
            continue
        file = ""
        for reference in re.findall(r"`([^`]*)`", cells[3]):
            named = re.fullmatch(r"([\w./]*\.(?:py|rs|ts|mjs))?(?:::([\w:*]+))?", reference)
            assert named, f"{cells[0]}: {reference}"
            file = named[1] or file
            found.append((cells[0], file, (named[2] or "").rpartition("::")[2]))
    return found


@pytest.mark.parametrize(("fault", "file", "name"), named_tests())
def test_its_test_exists(fault: str, file: str, name: str) -> None:
    candidates = [
        path
        for folder in ("tests", "crates", "js", "scripts")
        for path in (ROOT / folder).rglob(Path(file).name)
        if "node_modules" not in path.parts and path.as_posix().endswith(file)
    ]
    assert candidates, f"{fault} names {file}"
    pattern = re.escape(name).replace(r"\*", r"\w*")
    assert (
        any(
            re.search(rf"\b(?:def|fn|class|test) {pattern}\b", path.read_text(encoding="utf-8"))
            for path in candidates
        )
        or not name
    ), f"{fault} names {file}::{name}"
