"""The one template of all pages, and what a page says."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

Outcome = Literal["waiting", "done", "failed", "asking", "note"]
"""How it stands, which the icon shows."""

CLOSE_BUTTON = '<button id="close" type="button" data-popup hidden>Close window</button>\n'
"""For pages in popups, which may have lost the opener that would tell; the script shows it in the end."""


class Message(NamedTuple):
    """What a page says, as plain text.

    Attributes:
        outcome: How it stands.
        heading: The heading, and the title of the window.
        sentence: What happened, and the one next step.
        code: The code of an error, in small print.
    """

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
        no_code="" if message.code else " hidden",
        icon=part("icon.svg").strip(),
        style=part("page.css"),
        head=head,
        nonce=nonce,
        content=content,
        scripts=scripts,
    )


def script(*names: str) -> str:
    """Return these files as one script."""
    return '"use strict";\n' + "".join(part(name) for name in names)


@cache
def part(name: str) -> str:
    """Return a file beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
