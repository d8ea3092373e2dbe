"""Refresh tokens that may be spent, because the answer to them could not be read."""

from __future__ import annotations

import threading
import time
from hashlib import sha256

from tokentoss.util.forks import anew_in_child

MOST = 256
"""Tokens that are remembered at most."""


def fingerprint(token: str) -> str:
    """Return what stands for a token where it need not be known itself."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class DoubtfulTokens:
    """Remembers for a while, for all managers of the process, that a token is not to be sent again."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, token: str, seconds: float) -> None:
        """Hold a token back for some seconds."""
        with self._lock:
            self._until.pop(fingerprint(token), None)
            self._until[fingerprint(token)] = time.monotonic() + seconds
            while len(self._until) > MOST:
                del self._until[next(iter(self._until))]

    def holds(self, token: str) -> bool:
        """Tell whether a token is held back."""
        with self._lock:
            return time.monotonic() < self._until.get(fingerprint(token), 0.0)


doubts = DoubtfulTokens()
"""Those of this process: a token that serves once serves once, whoever holds it."""

anew_in_child(doubts, _lock=threading.Lock)
