"""JSON objects from outside, in which a member that stands there twice is nothing one can use."""

from __future__ import annotations

import json
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
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, _Members):
        return None
    return dict(value) | dict.fromkeys(value.repeated, REPEATED)


def repeats(members: dict[str, Any], names: Iterable[str]) -> bool:
    """Tell whether one of these members stands there twice."""
    return any(members.get(name) is REPEATED for name in names)


class _Members(dict[str, Any]):
    """The members of an object, and the names that stand there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: set[str] = set()
        if len(self) < len(pairs):
            names = [name for name, _ in pairs]
            self.repeated = {name for name in self if names.count(name) > 1}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
