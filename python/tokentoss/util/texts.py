"""What texts from outside can be used for: JSON may hold halves of characters, which have no UTF-8 form."""

from __future__ import annotations

import re

MAX_TOKEN = 32_768
"""Characters of the longest token that is used; Rust has the same limit."""

_TOKEN = re.compile(r"[!-~]+")


def is_whole(text: str) -> bool:
    """Tell whether a text can be encoded: it holds no half of a surrogate pair alone."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_token(text: str) -> bool:
    """Tell whether a text can be sent as a token: in a header (RFC 6750 section 2.1), and in a form."""
    return len(text) <= MAX_TOKEN and _TOKEN.fullmatch(text) is not None
