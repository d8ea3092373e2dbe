"""The listener's answer to a page that registered: made with a key that only this kernel could read.

The page picks the key and sends it inside what it seals to the ticket. So an answer that opens comes from
whoever holds the ticket's private key, and from nobody else who happens to listen on the port. (RFC 9458
section 4.4 exports such a key from the HPKE context of the request; ``cryptography`` has no export.)
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tokentoss.handoff.sealing import WIRE_VERSION, length_prefixed
from tokentoss.util.base64url import b64url

ANSWER_KEY_LENGTH = 32
"""Bytes of the key that a page picks for its answer."""

NONCE_LENGTH = 12

_LABEL = b"tokentoss/answer/1"


def answer_data(ticket_id: str, page_key: bytes) -> bytes:
    """Return what an answer is bound to besides its key: the ticket and the attempt's public key."""
    return b"".join(map(length_prefixed, (_LABEL, ticket_id.encode("utf-8"), page_key)))


def seal_answer(
    plaintext: bytes, answer_key: bytes, *, ticket_id: str, page_key: bytes, nonce: bytes | None = None
) -> str:
    """Seal an answer: base64url of a version byte, a nonce (12 bytes) and the ciphertext.

    Args:
        plaintext: What the page is told.
        answer_key: The key that the page picked, 32 bytes.
        ticket_id: The ticket of the sign-in.
        page_key: The attempt's public key, 32 bytes.
        nonce: A nonce of 12 bytes that is used once; by default a random one.
    """
    nonce = secrets.token_bytes(NONCE_LENGTH) if nonce is None else nonce
    sealed = ChaCha20Poly1305(answer_key).encrypt(nonce, plaintext, answer_data(ticket_id, page_key))
    return b64url(WIRE_VERSION + nonce + sealed)
