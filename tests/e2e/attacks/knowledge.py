"""What somebody can learn of a sign-in who only reads: files, exports, logs of iopub."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Where a ticket may begin; the text around it may be a message, a file, a page of HTML.
TICKET = re.compile(r'"ticket"\s*:\s*(?=\{)')
# Anything of the length of 32 bytes in base64url, as proofs and keys are.
CANDIDATE = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
# Anything that could be sealed.
SEALED = re.compile(rb"(?<![A-Za-z0-9_-])AQ?[A-Za-z0-9_-]{64,8192}(?![A-Za-z0-9_-])")


def tickets(texts: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Every ticket in what was read."""
    decoder = json.JSONDecoder()
    for text in texts:
        readable = text.decode("utf-8", "replace")
        for place in TICKET.finditer(readable):
            ticket, _ = decoder.raw_decode(readable, place.end())
            if "public_key" in ticket:
                yield ticket


def candidates(texts: Iterable[bytes]) -> set[str]:
    """Everything that could be a proof."""
    return {found.decode() for text in texts for found in CANDIDATE.findall(text)}


def sealed(texts: Iterable[bytes]) -> set[str]:
    """Everything that could be a sealed message."""
    return {found.decode() for text in texts for found in SEALED.findall(text)}
