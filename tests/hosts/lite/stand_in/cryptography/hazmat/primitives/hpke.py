"""HPKE in base mode with one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180)."""

from __future__ import annotations

import enum
import hmac
import struct

from cryptography.chacha20_poly1305 import decrypt, encrypt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import LENGTH, X25519PrivateKey, X25519PublicKey

KEM = enum.Enum("KEM", "X25519")
KDF = enum.Enum("KDF", "HKDF_SHA256")
AEAD = enum.Enum("AEAD", "CHACHA20_POLY1305")

KEM_ID = b"KEM" + struct.pack(">H", 0x0020)
SUITE_ID = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)


def _extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    # No more than one block of HKDF is ever asked for.
    info = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, info + b"\x01", "sha256")[:length]


class Suite:
    """The suite; its messages are the encapsulated key before the ciphertext."""

    def __init__(self, _kem: KEM, _kdf: KDF, _aead: AEAD) -> None:
        pass

    def encrypt(self, plaintext: bytes, public_key: X25519PublicKey, info: bytes) -> bytes:
        """Seal one message to a key."""
        fresh = X25519PrivateKey.generate()
        encapsulated = fresh.public_key().raw
        return encapsulated + encrypt(
            *_schedule(fresh.exchange(public_key), encapsulated, public_key, info), plaintext
        )

    def decrypt(self, sealed: bytes, private_key: X25519PrivateKey, info: bytes) -> bytes:
        """Open a message; raises InvalidTag if it cannot be."""
        encapsulated, ciphertext = sealed[:LENGTH], sealed[LENGTH:]
        try:
            shared = private_key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
        except ValueError:
            raise InvalidTag from None
        return decrypt(*_schedule(shared, encapsulated, private_key.public_key(), info), ciphertext)


def _schedule(
    exchanged: bytes, encapsulated: bytes, recipient: X25519PublicKey, info: bytes
) -> tuple[bytes, bytes]:
    prk = _extract(KEM_ID, b"", b"eae_prk", exchanged)
    shared = _expand(KEM_ID, prk, b"shared_secret", encapsulated + recipient.raw, 32)
    context = (
        b"\x00" + _extract(SUITE_ID, b"", b"psk_id_hash", b"") + _extract(SUITE_ID, b"", b"info_hash", info)
    )
    secret = _extract(SUITE_ID, shared, b"secret", b"")
    return _expand(SUITE_ID, secret, b"key", context, 32), _expand(
        SUITE_ID, secret, b"base_nonce", context, 12
    )
