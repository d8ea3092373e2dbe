"""Makes hpke_python.json: messages that Python sealed, for the other languages to open.

Run it by hand when the sealing changes (``python tests/vectors/make_python_vectors.py``). HPKE draws an
ephemeral key for every message, so the file differs each time and is committed; a test opens it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tokentoss.handoff.sealing import (
    CALLBACK,
    INTRODUCED,
    REGISTERED,
    TOKENS,
    RecipientKey,
    SealingContext,
    seal,
)
from tokentoss.util.base64url import b64url, from_b64url

FILE = Path(__file__).with_name("hpke_python.json")

MESSAGES = {
    "empty": b"",
    "short": b'{"version":1}',
    "not ASCII": "Grüße aus dem Kernel".encode(),
    "long": bytes(range(256)) * 32,
}


def make_vector(name: str, purpose: str, plaintext: bytes) -> dict[str, str]:
    """Seal one message to a fresh key."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    context = SealingContext(
        purpose, "ZmVkY2JhOTg3NjU0MzIxMA", "client-ü.example", "https://issuer.example/tenant"
    )
    return {
        "name": f"{purpose} {name}",
        "purpose": purpose,
        "ticket": context.ticket_id,
        "client_id": context.client_id,
        "issuer": context.issuer,
        "recipient_private_key": b64url(private.private_bytes_raw()),
        "recipient_public_key": b64url(public),
        "plaintext": b64url(plaintext),
        "sealed": seal(plaintext, public, context),
    }


def open_vector(vector: dict[str, Any]) -> bytes:
    """Open one message of a vector file, whoever sealed it."""
    private = X25519PrivateKey.from_private_bytes(from_b64url(vector["recipient_private_key"]))
    key = RecipientKey(private)
    if b64url(key.public) != vector["recipient_public_key"]:
        raise ValueError(f"{vector['name']}: the two keys do not belong together")
    context = SealingContext(vector["purpose"], vector["ticket"], vector["client_id"], vector["issuer"])
    return key.open(vector["sealed"], context)


def main() -> None:
    """Write the file."""
    vectors = [
        make_vector(name, purpose, plaintext)
        for purpose in (TOKENS, INTRODUCED, REGISTERED, CALLBACK)
        for name, plaintext in MESSAGES.items()
    ]
    FILE.write_text(json.dumps(vectors, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
