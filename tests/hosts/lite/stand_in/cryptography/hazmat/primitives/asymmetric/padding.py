"""The padding of RS256 signatures."""

from cryptography.absent import absent as __getattr__


class PKCS1v15:
    """RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2)."""
