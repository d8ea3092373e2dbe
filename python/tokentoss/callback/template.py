"""The one template of all pages, and what a page says."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tokentoss import texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Outcome = Literal["waiting", "done", "failed", "asking", "note"]
"""How it stands, which the icon shows."""


class Message(NamedTuple):
    """What a page says, as plain text.

    Attributes:
        language: The language that it is said in.
        outcome: How it stands.
        heading: The heading, and the title of the window.
        sentence: What happened, and the one next step.
        code: The code of an error, in small print.
    """

    language: str
    outcome: Outcome
    heading: str
    sentence: str = ""
    code: str = ""


def document(
    message: Message, *, head: str = "", nonce: str = "", content: str = "", scripts: str = ""
) -> str:
    """Return a page.

    Args:
        message: What it says.
        head: Further elements of the head.
        nonce: The attribute of its style that its policy allows.
        content: What stands below the sentence.
        scripts: Its script elements.
    """
    said = {name: escape(text) for name, text in message._asdict().items()}
    return Template(part("page.html")).substitute(
        said,
        title=said["heading"],
        code_label=escape(texts.text("pages", "code", message.language)),
        no_code="" if message.code else " hidden",
        icon=part("icon.svg").strip(),
        style=part("page.css"),
        head=head,
        nonce=nonce,
        content=content,
        scripts=scripts,
    )


def said_part(name: str, language: str) -> str:
    """Return a file beside this one, with the texts of a language in it."""
    said = {key: escape(text) for key, text in texts.texts_in(language)["pages"].items()}
    return Template(part(name)).substitute(said)


def close_button(language: str) -> str:
    """Return the button of pages in popups, which may have lost the opener that would close them.

    The script shows it in the end.
    """
    return said_part("close.html", language)


def data_block(name: str, data: Mapping[str, Any] | Sequence[str], nonce: str = "") -> str:
    """Return an element that a script reads data from.

    Args:
        name: Its id.
        data: What it holds.
        nonce: The attribute of scripts that the page's policy allows.
    """
    # ASCII only, and nothing that could end the script element that holds it.
    text = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="{name}"{nonce}>{text}</script>\n'


def script(*names: str) -> str:
    """Return these files as one script."""
    return '"use strict";\n' + "".join(part(name) for name in names)


@cache
def part(name: str) -> str:
    """Return a file beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
