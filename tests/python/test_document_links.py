"""Relative links of all documents lead to files and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda path: path.relative_to(ROOT).as_posix()
)


def prose(path: Path) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower() for heading in headings)
    of_headings = {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
    return of_headings | set(re.findall(r'<a id="(\w+)"></a>', prose(path)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (document.parent / name).resolve() if name else document
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            wrong.append(target)
    assert wrong == []


def test_every_page_of_the_broker_is_in_its_table_of_pages() -> None:
    pages = ROOT / "docs" / "broker"
    linked = set(re.findall(r"\]\((\w+\.md)[)#]", prose(pages / "README.md")))
    assert linked == {path.name for path in pages.glob("*.md")} - {"README.md"}
    assert "(docs/broker/README.md)" in prose(ROOT / "README.md")
