"""RSA public keys that check signatures (RFC 8017 section 8.2.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.absent import absent as __getattr__
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

# DigestInfo of SHA-256 before the digest, RFC 8017 section 9.2, note 1.
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True)
class RSAPublicNumbers:
    """Exponent and modulus."""

    e: int
    n: int

    def public_key(self, _backend: object = None) -> RSAPublicKey:
        """The key that they make."""
        return RSAPublicKey(self)


@dataclass(frozen=True)
class RSAPublicKey:
    """A key that checks signatures."""

    numbers: RSAPublicNumbers

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self.numbers.n.bit_length()

    def verify(self, signature: bytes, data: bytes, padding: object, algorithm: HashAlgorithm) -> None:
        """Raise InvalidSignature unless the key's owner signed the data."""
        if not isinstance(padding, PKCS1v15) or not isinstance(algorithm, SHA256):
            raise UnsupportedAlgorithm("the stand-in for cryptography checks RS256 alone")
        length = (self.key_size + 7) // 8
        value = int.from_bytes(signature, "big")
        if len(signature) != length or value >= self.numbers.n:
            raise InvalidSignature
        digest = SHA256_PREFIX + hashlib.sha256(data).digest()
        expected = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
        if not hmac.compare_digest(
            pow(value, self.numbers.e, self.numbers.n).to_bytes(length, "big"), expected
        ):
            raise InvalidSignature
