"""The table of error codes: what went wrong, by whose fault, in one sentence with the next step.

The codes are data shared by all languages of the project (``error_codes.json``), and so are the sentences
(:mod:`tokentoss.texts`); Python composes no sentence of its own for a code.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tokentoss import texts
from tokentoss.place import place

MAX_SUBJECT = 200
"""Characters of a subject (a host, a path, a code) that a sentence shows at most."""

# What is not said otherwise of a place is said as of the one before it.
_PLACES = {"notebook": (), "script": (".script",), "command": (".command", ".script")}


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


def sentence(
    code: str,
    subject: str | None = None,
    limit: int = MAX_SUBJECT,
    language: str | None = None,
    case: str | None = None,
) -> str:
    """Return the sentence of a code, naming ``subject`` where it has room for one.

    Args:
        code: The code.
        subject: The host, path or provider code that the sentence is about.
        limit: Characters of the subject that are shown at most.
        language: The language; by default that of this process.
        case: Which case of the code it is, where it has a sentence of its own for that.
    """
    shown = printable(subject, limit) if subject else ""
    if not is_known(code):
        return shown or texts.text("errors", "unknown", language)
    said = texts.texts_in(language or texts.language())
    shown = shown or said["subjects"].get(code, "")
    cases = () if case is None else (f".{case}",)
    names = (f"{code}{suffix}" for suffix in (*cases, *_PLACES[place()], ""))
    name = next(name for name in names if name in said["errors"])
    return texts.text("errors", name, language, subject=shown)
