"""Redirect URIs in use: each belongs to one issuer at a time, so that no answer is taken for another's.

RFC 9700 section 4.4.2: a provider that does not name itself in its answers (RFC 9207) gets a redirect URI of
its own. Those that do may share.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tokentoss.util.forks import anew_in_child

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

NAMED = ""
"""Stands for all issuers that name themselves in their answers."""


def issuer_of(provider: Provider) -> str:
    """Return for whom a redirect URI is claimed."""
    return NAMED if provider.iss_parameter_supported else provider.issuer


class Claims:
    """Who uses which redirect URI, and how often."""

    def __init__(self) -> None:
        self._claims: dict[str, tuple[str, int]] = {}
        # Re-entrant, because a widget may be collected anywhere, and gives its claims back then.
        self._lock = threading.RLock()
        anew_in_child(self, _lock=threading.RLock, _claims=dict)

    def take(self, uri: str, issuer: str) -> bool:
        """Claim a redirect URI once more, unless it is another issuer's."""
        with self._lock:
            owner, count = self._claims.get(uri, (issuer, 0))
            if owner != issuer:
                return False
            self._claims[uri] = owner, count + 1
            return True

    def give_back(self, uri: str) -> None:
        """Give one claim back."""
        with self._lock:
            owner, count = self._claims.pop(uri, (NAMED, 0))
            if count > 1:
                self._claims[uri] = owner, count - 1


claims = Claims()
"""Those of this process."""
