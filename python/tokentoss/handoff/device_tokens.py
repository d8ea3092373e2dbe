"""Tokens for a user code that a page asked for itself: they have no nonce, so other things must hold."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import IdTokenError
from tokentoss.oauth.id_token import LEEWAY, unverified_claims
from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.oauth.token_response import TokenResponse

MAX_AGE = 900.0
"""Seconds since the ID token was issued, at most."""

MAX_PAGES = 16

# A page that fetched the tokens reports that it signs in before it hands them over.
_UNDER_WAY = {"code": True, "signing_in": None, "ready": False, "waiting": False, "failed": False}


class PageGrants:
    """The pages that say that they run a sign-in by code for this ticket."""

    def __init__(self) -> None:
        self._pages: dict[object, None] = {}
        self._lock = threading.Lock()
        anew_in_child(self, _lock=threading.Lock)

    @property
    def is_under_way(self) -> bool:
        """Whether there is one."""
        return bool(self._pages)

    def report(self, page: object, phase: object) -> None:
        """Follow the report of a page on its phase."""
        change = _UNDER_WAY.get(phase) if isinstance(phase, str) else None
        if change is None or not isinstance(page, (int, float, str)):
            return
        with self._lock:
            self._pages.pop(page, None)
            if change:
                self._pages[page] = None
            while len(self._pages) > MAX_PAGES:
                del self._pages[next(iter(self._pages))]


def require_fresh(response: TokenResponse) -> None:
    """Check what stands for the nonce of an ID token that has none.

    Raises:
        IdTokenError: ``id_token_nonce_mismatch`` if it has one, so it was made for another sign-in;
            ``id_token_issued_at_invalid`` or ``id_token_expired`` if it is not of the last 15 minutes.
    """
    if response.id_token is None:
        return  # refused as missing later
    claims: Mapping[str, Any] = unverified_claims(response.id_token)
    if claims.get("nonce") is not None:
        raise IdTokenError(code="id_token_nonce_mismatch")
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, (int, float)):
        raise IdTokenError(code="id_token_issued_at_invalid")
    if issued_at < time.time() - MAX_AGE - LEEWAY:
        raise IdTokenError(code="id_token_expired")
