"""Sealing between the notebook page and the kernel: HPKE in base mode (RFC 9180).

The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, without additional data. What
a message is for, and to whom it belongs, is bound through ``info``, which both sides build from what
they know themselves. On the wire: unpadded base64url of a version byte, the encapsulated key (32
bytes) and the ciphertext.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tokentoss.exceptions import HandOffError
from tokentoss.util.base64url import b64url, from_b64url

WIRE_VERSION = b"\x01"
KEY_LENGTH = 32
"""Bytes of an X25519 public key."""

MAX_SEALED_LENGTH = 262_144
"""Characters of the longest sealed message that is opened (256 KiB)."""

TOKENS = "tokens"
"""Purpose of the envelope with which the page hands its tokens to the kernel."""

CODE = "code"
"""Purpose of the envelope with which the page hands over a code that the kernel is to redeem."""

DEVICE_TOKENS = "device_tokens"
"""Purpose of the envelope for tokens that a code entered on any device brought: they have no nonce."""

REGISTRATION = "registration"
"""Purpose of the authorization request of a page that registers with the kernel itself."""

START = "start"
"""Purpose of what a page tells the listener through a start page."""

INTRODUCED = "introduced"
"""Purpose of the proof that a page gets which made itself known over the comm."""

REGISTERED = "registered"
"""Purpose of the kernel's answer to a page that registered over the comm."""

CALLBACK = "callback"
"""Purpose of the provider's answer on its way to a page whose popup lost its opener."""

CONFIGURATION = "configuration"
"""Purpose of an OAuth client's way from the page that it was entered in."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class SealingContext:
    """What a sealed message is bound to, besides its recipient's key."""

    purpose: str
    ticket_id: str
    client_id: str
    issuer: str

    def info(self, recipient: bytes) -> bytes:
        """Return the ``info`` of RFC 9180 section 5.1 for a recipient's raw public key."""
        parts = ("tokentoss/hpke/1", self.purpose, self.ticket_id, self.client_id, self.issuer)
        return b"".join(length_prefixed(part.encode("utf-8")) for part in parts) + length_prefixed(recipient)


@dataclass(frozen=True)
class RecipientKey:
    """A key pair that messages are sealed to."""

    _private: X25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> RecipientKey:
        """Return a fresh key pair."""
        return cls(X25519PrivateKey.generate())

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sealed: str, context: SealingContext) -> bytes:
        """Open a message that was sealed to this key.

        Raises:
            HandOffError: ``envelope_unreadable`` if it was not, in whatever way.
        """
        if len(sealed) <= MAX_SEALED_LENGTH:
            try:
                wire = from_b64url(sealed)
                if wire[:1] == WIRE_VERSION:
                    return _SUITE.decrypt(wire[1:], self._private, context.info(self.public))
            except (ValueError, InvalidTag):
                pass
        raise HandOffError(code="envelope_unreadable")


def seal(plaintext: bytes, recipient: bytes, context: SealingContext) -> str:
    """Seal a message to a raw X25519 public key.

    Raises:
        HandOffError: ``sealing_failed`` if the key cannot be used.
    """
    try:
        key = X25519PublicKey.from_public_bytes(recipient)
        sealed = _SUITE.encrypt(plaintext, key, context.info(recipient))
    except ValueError:
        raise HandOffError(code="sealing_failed") from None
    return b64url(WIRE_VERSION + sealed)


def length_prefixed(data: bytes) -> bytes:
    """Return ``data`` after its length in two bytes, big-endian."""
    return len(data).to_bytes(2, "big") + data


def request_nonce(ticket_nonce: str, salt: str) -> str:
    """Return the nonce of one authorization request of a ticket.

    Every attempt has a fresh one, through the page's salt, and the kernel can still compute it.
    """
    parts = ("tokentoss/nonce/1", ticket_nonce, salt)
    return b64url(sha256(b"".join(length_prefixed(part.encode("utf-8")) for part in parts)).digest())
