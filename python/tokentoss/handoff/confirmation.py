"""Asking the user, on the start page, whether an unknown page may sign in."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from tokentoss.util.base64url import random_b64url
from tokentoss.util.constant_time import same_text
from tokentoss.util.forks import anew_in_child

LIFETIME = 300.0
"""Seconds within which the user must answer."""

MAX_QUESTIONS = 8
"""Open questions of a ticket; the oldest gives way."""


class _Question(NamedTuple):
    page_key: bytes
    origin: str
    asked_at: float


class Confirmations:
    """The open questions of one ticket, found by their tokens."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Question] = OrderedDict()
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)

    def ask(self, page_key: bytes, origin: str) -> str:
        """Return the token with which the start page passes on a yes, for this page alone."""
        token = random_b64url(32)
        with self._lock:
            self._open[token] = _Question(page_key, origin, time.monotonic())
            while len(self._open) > MAX_QUESTIONS:
                self._open.popitem(last=False)
        return token

    def use(self, token: str, page_key: bytes, origin: str) -> bool:
        """Tell whether the user said yes to this page; each token counts once, for five minutes."""
        with self._lock:
            known = next((one for one in self._open if same_text(token, one)), None)
            if known is None:
                return False
            question = self._open.pop(known)
        is_fresh = time.monotonic() - question.asked_at < LIFETIME
        return is_fresh and (question.page_key, question.origin) == (page_key, origin)
