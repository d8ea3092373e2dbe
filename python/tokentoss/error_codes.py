"""The table of error codes: what went wrong, by whose fault, in one sentence with the next step.

The table is data shared by all languages of the project (``error_codes.json``); Python composes no
sentence of its own for a code.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

MAX_SUBJECT = 200
"""Characters of a subject (a host, a path, a code) that a sentence shows at most."""


@cache
def table() -> dict[str, dict[str, str]]:
    """Return the rows of the table by code."""
    rows = json.loads(Path(__file__).with_name("error_codes.json").read_text(encoding="utf-8"))
    return {row["code"]: row for row in rows}


def is_known(code: str) -> bool:
    """Tell whether the table holds this code."""
    return code in table()


def culprit(code: str) -> str:
    """Return whose fault an error with this code is, or ``""`` for an unknown code."""
    return table().get(code, {}).get("culprit", "")


def printable(text: str, limit: int = MAX_SUBJECT) -> str:
    """Return foreign text as one line of printable characters, at most ``limit`` of them.

    Of a longer text the beginning and the end stay, because a reason often stands at the end.
    """
    if len(text) > 8 * limit:
        text = text[: 4 * limit] + text[-4 * limit :]
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    if len(line) <= limit:
        return line
    end = limit // 2
    return f"{line[: limit - end - 1]}…{line[-end:]}"


def sentence(code: str, subject: str | None = None, limit: int = MAX_SUBJECT) -> str:
    """Return the sentence of a code, naming ``subject`` where the table leaves room for one.

    A subject that the table's sentence has no room for is added at its end, so it is never lost.
    """
    row = table().get(code)
    if row is None:
        return printable(subject) if subject else "The sign-in failed: try again."
    message = row["message"]
    shown = printable(subject, limit) if subject else ""
    if "{subject}" in message:
        return message.replace("{subject}", shown or row.get("subject_default", ""))
    return f"{message} [{shown}]" if shown else message
