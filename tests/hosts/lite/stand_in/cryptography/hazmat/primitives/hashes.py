"""Names of hash functions."""

from cryptography.absent import absent as __getattr__


class HashAlgorithm:
    """A hash function, by the name that hashlib knows."""

    name = ""


class SHA256(HashAlgorithm):
    """SHA-256."""

    name = "sha256"


class SHA384(HashAlgorithm):
    """SHA-384."""

    name = "sha384"


class SHA512(HashAlgorithm):
    """SHA-512."""

    name = "sha512"
