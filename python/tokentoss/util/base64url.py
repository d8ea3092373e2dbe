"""Unpadded base64url (RFC 7515 section 2), the only binary encoding on the wire of this package."""

from __future__ import annotations

import binascii
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def b64url(data: bytes) -> str:
    """Encode without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_b64url(text: str) -> bytes:
    """Decode; refuse padding, whitespace and every other character outside the alphabet.

    Raises:
        ValueError: If ``text`` is not unpadded base64url.
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not unpadded base64url")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not unpadded base64url") from None


def random_b64url(size: int) -> str:
    """Return ``size`` bytes of the operating system's randomness."""
    return b64url(secrets.token_bytes(size))
