"""What users read, in their language: one file a language, which TypeScript and Rust read as well.

Codes and names stay the same in every language, and so do logs.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path

LANGUAGE_VARIABLE = "TOKENTOSS_LANGUAGE"
"""Environment variable that names the language, such as ``de`` or ``de-AT``."""

ENGLISH = "en"

Texts = dict[str, dict[str, str]]

_FOLDER = Path(__file__).parent
_LONGEST_HEADER = 1024
# With the weights of RFC 9110, section 12.4.2.
_RANGE = re.compile(
    r"([a-z0-9]+|\*)(?:-[a-z0-9-]*)?(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are, by their codes."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def known(tag: str) -> str | None:
    """Return the language of a tag such as ``de-AT`` or ``de_DE.UTF-8``, if there is a file of it."""
    code = re.split(r"[-_.@]", tag.strip().lower(), maxsplit=1)[0]
    return code if code in languages() else None


def chosen() -> str | None:
    """Return the language that the user chose, if there is a file of it."""
    return known(os.environ.get(LANGUAGE_VARIABLE, ""))


def accepted(header: str) -> str | None:
    """Return the language that a browser prefers, if there is a file of one that it takes.

    Args:
        header: Its ``Accept-Language`` (RFC 9110, section 12.5.4); malformed parts are passed over, and one
            that no browser sends, of more than 1024 characters, names none.
    """
    if len(header) > _LONGEST_HEADER:
        return None
    ranges = [found for part in header.split(",") if (found := _RANGE.fullmatch(part.strip(" \t")))]
    named = {found[1].lower() for found in ranges}
    # Any other language: English, unless the list names it.
    other = next((code for code in (ENGLISH, *languages()) if code not in named), None)
    wanted = [(float(found[2] or 1), other if found[1] == "*" else known(found[1])) for found in ranges]
    taken = [(weight, code) for weight, code in wanted if weight > 0 and code]
    # Of languages that are wanted as much, the first.
    return max(taken, key=lambda one: one[0])[1] if taken else None


def language() -> str:
    """Return the language of this process: the chosen one, or English."""
    return chosen() or ENGLISH


@cache
def texts_in(code: str) -> Texts:
    """Return the texts of a language, section by section.

    Args:
        code: One of :func:`languages`.
    """
    sections: Texts = json.loads((_FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return sections


def text(section: str, name: str, code: str | None = None, /, **values: str) -> str:
    """Return one text, with values in the place of its ``{placeholders}``.

    Args:
        section: The section of the file.
        name: The text's name there.
        code: A language; by default that of this process.
        **values: What the placeholders stand for; braces in a value stay as they are.
    """
    found = texts_in(code or language())[section][name]
    return _PLACEHOLDER.sub(lambda place: values.get(place[1], place[0]), found)
