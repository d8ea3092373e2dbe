"""JSON objects from outside, in which a member that stands there twice is nothing one can use."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Repeated:
    """What stands in place of the value of such a member: of no kind that anything expects."""

    def __repr__(self) -> str:
        return "REPEATED"


REPEATED: Final = _Repeated()


def read_object(text: str) -> dict[str, Any] | None:
    """Read a JSON object (RFC 8259); None for anything else, and for what is no JSON but Python's own.

    A member of the object that stands there twice is :data:`REPEATED`. RFC 6749 section 5.1 forbids it, and
    so do RFC 7515 section 4 and RFC 7519 section 4 for tokens: readers disagree about which of two counts.
    """
    outermost: list[tuple[str, Any]] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Inner objects come first, so that the last call is for the object itself.
        outermost[:] = pairs
        return dict(pairs)

    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if len(value) < len(outermost):
        counts = Counter(name for name, _ in outermost)
        value.update((name, REPEATED) for name, count in counts.items() if count > 1)
    return value


def read_list(text: str) -> list[Any] | None:
    """Read a JSON array; None for anything else, and for what is no JSON but Python's own."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def repeats(members: dict[str, Any], names: Iterable[str]) -> bool:
    """Tell whether one of these members stands there twice."""
    return any(members.get(name) is REPEATED for name in names)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
