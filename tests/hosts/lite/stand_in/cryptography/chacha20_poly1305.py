"""ChaCha20-Poly1305 (RFC 8439) without additional data."""

from __future__ import annotations

import hmac
import struct

from cryptography.exceptions import InvalidTag

MASK = 0xFFFFFFFF
TAG_LENGTH = 16
BLOCK_LENGTH = 64
P = 2**130 - 5
R_MASK = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
ROUNDS = [
    *[(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)],
    *[(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)],
] * 10


def _block(key: bytes, counter: int, nonce: bytes) -> bytes:
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce)
    x = list(start)
    for a, b, c, d in ROUNDS:
        for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & MASK
            turned = x[r] ^ x[p]
            x[r] = (turned << turn | turned >> (32 - turn)) & MASK
    return struct.pack("<16I", *((word + first) & MASK for word, first in zip(x, start, strict=True)))


def _stream(key: bytes, nonce: bytes, data: bytes) -> bytes:
    blocks = range(1, (len(data) + BLOCK_LENGTH - 1) // BLOCK_LENGTH + 1)
    stream = b"".join(_block(key, counter, nonce) for counter in blocks)
    return bytes(byte ^ mask for byte, mask in zip(data, stream, strict=False))


def _tag(key: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    one_time = _block(key, 0, nonce)
    r, s = int.from_bytes(one_time[:16], "little") & R_MASK, int.from_bytes(one_time[16:32], "little")
    padded = ciphertext + bytes(-len(ciphertext) % 16) + struct.pack("<QQ", 0, len(ciphertext))
    sum_ = 0
    for at in range(0, len(padded), 16):
        sum_ = (sum_ + int.from_bytes(padded[at : at + 16] + b"\x01", "little")) * r % P
    return ((sum_ + s) % 2**128).to_bytes(TAG_LENGTH, "little")


def encrypt(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """The ciphertext before its tag."""
    ciphertext = _stream(key, nonce, plaintext)
    return ciphertext + _tag(key, nonce, ciphertext)


def decrypt(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    """The plaintext; raises InvalidTag unless the tag is right."""
    ciphertext, tag = sealed[:-TAG_LENGTH], sealed[-TAG_LENGTH:]
    if not hmac.compare_digest(tag, _tag(key, nonce, ciphertext)):
        raise InvalidTag
    return _stream(key, nonce, ciphertext)
