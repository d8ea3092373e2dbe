"""What the documents have for readers of the repository, and a web site has not."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCUMENTS = Path(__file__).resolve().parents[1]
ROOT = DOCUMENTS.parent
# Pages that a test of the code writes, without a heading.
TITLES = {"diagrams/sign_in_flow": "The states of a sign-in"}
# Files at the top of the repository that are pages here.
PAGES = {
    "CHANGELOG.md": "docs/changelog.md",
    "CONTRIBUTING.md": "docs/contributing.md",
    "README.md": "docs/index.md",
    "SECURITY.md": "docs/security.md",
}
_INCLUDED = re.compile(r"^<!-- include: (\w+\.md) -->$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")


def linked(text: str, folder: str, page: str) -> str:
    """Return Markdown of a folder of the repository whose links work on a page of the site.

    A link to a file that is no page becomes its path, as in the description on the package index.

    Args:
        text: The Markdown.
        folder: The folder that its links start from.
        page: The page that it is shown on.
    """

    def place(link: re.Match[str]) -> str:
        shown, target, anchor = link[1], link[2], link[3] or ""
        path = normpath(f"{folder}/{target}")
        path = PAGES.get(path, path)
        if path.startswith("docs/") and path.endswith(".md"):
            return f"[{shown}]({relpath(path, str(Path(page).parent))}{anchor})"
        return f"`{path}`" if shown.strip("`") in {path, target} else f"{shown} (`{path}`)"

    return _LINK.sub(place, text)


def read(_app: Sphinx, name: str, source: list[str]) -> None:
    """Put the files in that a page includes, and make all links lead somewhere."""
    page = f"docs/{name}.md"
    own = linked(source[0], str(Path(page).parent), page)
    text = _INCLUDED.sub(lambda found: linked((ROOT / found[1]).read_text(encoding="utf-8"), ".", page), own)
    source[0] = f"# {TITLES[name]}\n\n{text}" if name in TITLES else text


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect it."""
    # Diagrams are shown as their text: drawing them takes a script from elsewhere.
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
