"""Times as JSON has them."""

from __future__ import annotations

from datetime import datetime, timezone

from tokentoss.storage.token_data import LATEST


def utc_text(seconds: float | None) -> str | None:
    """Return a time in UTC (RFC 3339); None if nobody knows it."""
    if seconds is None or not 0 < seconds <= LATEST:
        return None
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
