"""Checking a signature later than at the sign-in, when the provider's keys could not be fetched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tokentoss.oauth.id_token import validate_id_token

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

RETRY = 60.0
"""Seconds between two attempts."""


class DeferredSignature:
    """Checks the signature of an ID token at the first chance.

    Args:
        provider: Who must have signed it.
        client_id: For whom.
    """

    def __init__(self, provider: Provider, client_id: str) -> None:
        self._provider = provider
        self._client_id = client_id
        self._not_before = 0.0

    def reset(self) -> None:
        """Forget about attempts, because there is another token."""
        self._not_before = 0.0

    def is_good(self, id_token: str) -> bool:
        """Tell whether the signature is the provider's; False means that nobody can tell yet.

        Raises:
            IdTokenError: If it is not.
        """
        if time.monotonic() < self._not_before:
            return False
        self._not_before = time.monotonic() + RETRY
        claims = validate_id_token(
            id_token, provider=self._provider, client_id=self._client_id, check_expiry=False
        )
        return claims.signature_checked
