"""Makes answers.json: answers of the listener as Python makes them, for the other languages to open.

Run it by hand when the answer changes (``python tests/vectors/make_answer_vectors.py``). Keys and nonces are
derived from the names, so the file is the same each time.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from tokentoss.handoff.answer import NONCE_LENGTH, answer_data, seal_answer
from tokentoss.util.base64url import b64url, from_b64url

FILE = Path(__file__).with_name("answers.json")
TICKET = "ZmVkY2JhOTg3NjU0MzIxMA"
PROOF = b64url(bytes(range(32)))

ANSWERS = {
    "with a client secret": json.dumps({"proof": PROOF, "client_secret": "secret-1"}).encode(),
    "without a client secret": json.dumps({"proof": PROOF, "client_secret": None}).encode(),
    "not ASCII": json.dumps({"proof": PROOF, "client_secret": "Grüße"}, ensure_ascii=False).encode(),
    "empty": b"",
}


def make_vector(name: str, plaintext: bytes) -> dict[str, Any]:
    """Seal one answer to a key that its name stands for."""
    key = sha256(f"key {name}".encode()).digest()
    nonce = sha256(f"nonce {name}".encode()).digest()[:NONCE_LENGTH]
    page = X25519PrivateKey.from_private_bytes(sha256(f"page {name}".encode()).digest())
    page_key = page.public_key().public_bytes_raw()
    return {
        "name": name,
        "answer_key": b64url(key),
        "nonce": b64url(nonce),
        "ticket": TICKET,
        "page_key": b64url(page_key),
        "plaintext": b64url(plaintext),
        "wire": seal_answer(plaintext, key, ticket_id=TICKET, page_key=page_key, nonce=nonce),
        "opens": True,
    }


def make_refused(vector: dict[str, Any]) -> list[dict[str, Any]]:
    """Return changes of an answer that must not open."""
    wire = from_b64url(vector["wire"])
    other = b64url(sha256(b"other").digest())
    changes = {
        "another key": {"answer_key": other},
        "another page": {"page_key": other},
        "another ticket": {"ticket": "MDEyMzQ1Njc4OTo7PD0-Pw"},
        "another version": {"wire": b64url(b"\x02" + wire[1:])},
        "another nonce": {"wire": b64url(wire[:1] + bytes(NONCE_LENGTH) + wire[1 + NONCE_LENGTH :])},
        "a flipped bit": {"wire": b64url(wire[:-1] + bytes([wire[-1] ^ 1]))},
        "cut": {"wire": b64url(wire[:20])},
        "nothing": {"wire": ""},
        "padding": {"wire": vector["wire"] + "="},
    }
    return [vector | change | {"name": name, "opens": False} for name, change in changes.items()]


def open_answer(wire: str, answer_key: str, ticket: str, page_key: str) -> bytes:
    """Open an answer as a page does.

    Raises:
        ValueError: If it was made with another key, or for somebody else.
    """
    data = from_b64url(wire)
    nonce, sealed = data[1 : 1 + NONCE_LENGTH], data[1 + NONCE_LENGTH :]
    if data[:1] != b"\x01" or len(nonce) != NONCE_LENGTH:
        raise ValueError("not an answer")
    try:
        key = ChaCha20Poly1305(from_b64url(answer_key))
        return key.decrypt(nonce, sealed, answer_data(ticket, from_b64url(page_key)))
    except InvalidTag:
        raise ValueError("an answer of somebody else") from None


def main() -> None:
    """Write the file."""
    vectors = [make_vector(name, plaintext) for name, plaintext in ANSWERS.items()]
    vectors += make_refused(vectors[0])
    FILE.write_text(json.dumps(vectors, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
