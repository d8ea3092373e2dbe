"""What the endpoints of one provider have in common."""

from __future__ import annotations

from tokentoss.exceptions import ConfigurationError
from tokentoss.util.urls import reaches_into_loopback

GOOGLE_AUTH_URIS = frozenset(
    {"https://accounts.google.com/o/oauth2/auth", "https://accounts.google.com/o/oauth2/v2/auth"}
)
"""Google's authorization endpoint, in the forms that its console and its metadata write."""

GOOGLE_TOKEN_URIS = frozenset(
    {
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://www.googleapis.com/oauth2/v4/token",
    }
)
"""Google's token endpoint, in the forms that its console has written over the years."""


def require_same_side(issuer: str, *endpoints: str) -> None:
    """Check that endpoints are on this computer only if the issuer is.

    Raises:
        ConfigurationError: ``endpoint_on_loopback``.
    """
    for endpoint in endpoints:
        if reaches_into_loopback(issuer, endpoint):
            raise ConfigurationError(code="endpoint_on_loopback", subject=endpoint)
