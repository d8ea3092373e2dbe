"""Comparing secrets without telling by the time how much of them is right."""

from __future__ import annotations

import hmac


def same_text(value: object, expected: str) -> bool:
    """Tell whether a foreign value is the expected text; whatever it is, nothing is raised."""
    # A lone surrogate, which JSON may hold, has no UTF-8 form.
    return isinstance(value, str) and hmac.compare_digest(
        value.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )
