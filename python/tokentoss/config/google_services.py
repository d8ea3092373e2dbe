"""Clients that Google's services made for themselves: people download them by mistake."""

from __future__ import annotations

from tokentoss.util.urls import split_url


def service_behind(redirect_uri: str) -> str | None:
    """Return the service whose redirect URI this is, as a message names it; None for any other URI."""
    parts = split_url(redirect_uri)
    host = (parts.hostname or "") if parts else ""
    path = parts.path if parts else ""
    if host == "iap.googleapis.com" and path.endswith(":handleRedirect"):
        return "IAP"
    if host == "developers.google.com" and path.rstrip("/") == "/oauthplayground":
        return "the OAuth playground"
    if host.endswith((".firebaseapp.com", ".web.app")) and path == "/__/auth/handler":
        return "Firebase"
    return None
