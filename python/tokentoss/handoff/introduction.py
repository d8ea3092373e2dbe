"""Pages that made themselves known over the comm, which only the notebook can write to.

Each gets a proof, sealed to its key. A page that shows it at the listener is registered there at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from tokentoss.exceptions import HandOffError
from tokentoss.handoff.origin import page_origin
from tokentoss.util.base64url import random_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.forks import anew_in_child

MAX_INTRODUCTIONS = 16
"""Introductions of a ticket that are kept; the oldest gives way."""


@dataclass(frozen=True)
class Introduction:
    """A page, and what it may show at the listener."""

    origin: str
    proof: str = field(default_factory=lambda: random_b64url(32), repr=False)


class Introductions:
    """The introductions of one ticket, the latest last."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[bytes, Introduction] = OrderedDict()
        # Re-entrant, because a widget may be collected anywhere, and cancels then.
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock)

    def add(self, key: bytes, origin: str) -> str:
        """Return the proof of a page; the same key gets the same one.

        Args:
            key: The page's introduction key, 32 bytes.
            origin: The page's origin, as it says itself.

        Raises:
            HandOffError: ``registration_refused`` if this is no origin, or the key came from another.
        """
        origin = page_origin(origin)
        with self._lock:
            known = self._by_key.setdefault(key, Introduction(origin))
            if known.origin != origin:
                raise HandOffError(code="registration_refused")
            self._by_key.move_to_end(key)
            while len(self._by_key) > MAX_INTRODUCTIONS:
                self._by_key.popitem(last=False)
            return known.proof

    def shows(self, proof: object, origin: str) -> bool:
        """Tell whether this is the proof of a page that was introduced with this origin."""
        with self._lock:
            known = list(self._by_key.values())
        return any(same_text(proof, one.proof) and one.origin == origin for one in known)

    def clear(self) -> None:
        """Forget all; their proofs are worth nothing any more."""
        with self._lock:
            self._by_key.clear()
