"""A link from every error code in the documents to its entry in the list of all codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TABLE = Path(__file__).resolve().parents[2] / "python" / "tokentoss" / "error_codes.json"
PAGE = "troubleshooting"


def link_codes(app: Sphinx, document: nodes.document, page: str) -> None:
    """Make a link of every error code that a page names."""
    codes = {row["code"] for row in json.loads(TABLE.read_text(encoding="utf-8"))}
    for literal in list(document.findall(nodes.literal)):
        code = literal.astext()
        is_link = isinstance(literal.parent, (nodes.reference, nodes.title))
        if code not in codes or is_link or is_entry(literal):
            continue
        uri = "" if page == PAGE else app.builder.get_relative_uri(page, PAGE)
        link = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=f"{uri}#{code}")
        literal.replace_self(link)


def is_entry(literal: nodes.literal) -> bool:
    """Tell whether a code stands behind its own anchor."""
    before = literal.parent.index(literal) - 1
    return before >= 0 and isinstance(literal.parent[before], nodes.raw)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the links."""
    app.connect("doctree-resolved", link_codes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
