"""X25519 (RFC 7748 section 5)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

P = 2**255 - 19
A24 = 121665
BASE = (9).to_bytes(32, "little")
LENGTH = 32


def x25519(scalar: bytes, point: bytes) -> bytes:
    """The Montgomery ladder; refuses points of small order, whose product is zero."""
    k = (int.from_bytes(scalar, "little") & ~7 & (2**254 - 1)) | 2**254
    x1 = int.from_bytes(point, "little") & (2**255 - 1)
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for bit in reversed(range(255)):
        now = k >> bit & 1
        if now != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = now
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + A24 * e) % P
    if swapped:
        x2, z2 = x3, z3
    product = x2 * pow(z2, P - 2, P) % P
    if product == 0:
        raise ValueError("the point is of small order")
    return product.to_bytes(LENGTH, "little")


@dataclass(frozen=True)
class X25519PublicKey:
    """A public key."""

    raw: bytes

    @classmethod
    def from_public_bytes(cls, data: bytes) -> X25519PublicKey:
        """The key of 32 bytes."""
        if len(data) != LENGTH:
            raise ValueError("an X25519 public key is 32 bytes long")
        return cls(data)

    def public_bytes_raw(self) -> bytes:
        """The key as 32 bytes."""
        return self.raw


@dataclass(frozen=True)
class X25519PrivateKey:
    """A private key."""

    _raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> X25519PrivateKey:
        """A fresh key."""
        return cls(secrets.token_bytes(LENGTH))

    def public_key(self) -> X25519PublicKey:
        """Its public half."""
        return X25519PublicKey(x25519(self._raw, BASE))

    def exchange(self, peer: X25519PublicKey) -> bytes:
        """The secret that is shared with the peer."""
        return x25519(self._raw, peer.raw)
