from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_python_vectors import open_vector
from tokentoss import HandOffError
from tokentoss.handoff.sealing import MAX_SEALED_LENGTH, RecipientKey, SealingContext, request_nonce, seal
from tokentoss.util.base64url import b64url, from_b64url

VECTORS = Path(__file__).parent.parent / "vectors"

CONTEXT = SealingContext("tokens", "ticket-1", "client-1", "https://issuer.example")


@given(st.binary(max_size=4096))
def test_what_is_sealed_opens_again(plaintext: bytes) -> None:
    key = RecipientKey.generate()
    assert key.open(seal(plaintext, key.public, CONTEXT), CONTEXT) == plaintext


@pytest.mark.parametrize("file", ["hpke.json", "hpke_python.json"])
def test_shared_vectors_open(file: str) -> None:
    vectors = json.loads((VECTORS / file).read_text())
    assert len(vectors) >= 3
    purposes = {
        "hpke.json": {"tokens", "code", "registration", "device_tokens", "callback"},
        "hpke_python.json": {"tokens", "introduced", "registered", "callback"},
    }
    assert purposes[file] <= {vector["purpose"] for vector in vectors}
    for vector in vectors:
        assert open_vector(vector) == from_b64url(vector["plaintext"]), vector["name"]


def test_shared_vectors_open_for_nothing_else() -> None:
    """A message does not open with another purpose, ticket, client or issuer (C71)."""
    vector = json.loads((VECTORS / "hpke.json").read_text())[0]
    for member in ("ticket", "client_id", "issuer", "purpose"):
        with pytest.raises(HandOffError) as refusal:
            open_vector(vector | {member: vector[member] + "x"})
        assert refusal.value.code == "envelope_unreadable"


def test_shared_nonces() -> None:
    vectors = json.loads((VECTORS / "nonces.json").read_text())
    assert vectors
    for vector in vectors:
        assert request_nonce(vector["ticket_nonce"], vector["salt"]) == vector["nonce"]


@given(st.integers(min_value=0, max_value=100), st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_anywhere_is_noticed(position: int, bit: int) -> None:
    key = RecipientKey.generate()
    wire = bytearray(from_b64url(seal(b"secret" * 9, key.public, CONTEXT)))
    wire[position] ^= 1 << bit
    # The highest bit of an X25519 key is ignored (RFC 7748 section 5), but the key schedule binds it.
    with pytest.raises(HandOffError):
        key.open(b64url(bytes(wire)), CONTEXT)


@pytest.mark.parametrize(
    "sealed",
    ["", "AQ", "AA" * 80, "AQ" + "A" * 120, "not base64!", "ä" * 80, "A" * (MAX_SEALED_LENGTH + 1), "AQ=="],
)
def test_garbage_does_not_open(sealed: str) -> None:
    with pytest.raises(HandOffError) as refusal:
        RecipientKey.generate().open(sealed, CONTEXT)
    assert refusal.value.code == "envelope_unreadable"


def test_another_key_does_not_open() -> None:
    """A message does not open with another key (C71)."""
    sealed = seal(b"x", RecipientKey.generate().public, CONTEXT)
    with pytest.raises(HandOffError):
        RecipientKey.generate().open(sealed, CONTEXT)


@pytest.mark.parametrize("recipient", [b"", bytes(31), bytes(32)])
def test_an_unusable_recipient_is_refused(recipient: bytes) -> None:
    with pytest.raises(HandOffError) as refusal:
        seal(b"x", recipient, CONTEXT)
    assert refusal.value.code == "sealing_failed"


@given(st.binary(max_size=300))
def test_base64url_round_trip(data: bytes) -> None:
    assert from_b64url(b64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AAAAA", "AA==", "A A", "A+", "A/", "A\n", "é"])
def test_base64url_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        from_b64url(text)
