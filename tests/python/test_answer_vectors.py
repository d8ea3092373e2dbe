from __future__ import annotations

import json
from pathlib import Path

import pytest
from make_answer_vectors import make_vector, open_answer
from tokentoss.handoff.answer import seal_answer
from tokentoss.util.base64url import b64url, from_b64url

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "answers.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_shared_answers(vector: dict[str, str]) -> None:
    """An answer opens only with the key, ticket and page that it was made for (S3)."""
    members = [vector[name] for name in ("wire", "answer_key", "ticket", "page_key")]
    if vector["opens"]:
        assert open_answer(*members) == from_b64url(vector["plaintext"])
        assert make_vector(vector["name"], from_b64url(vector["plaintext"])) == vector
    else:
        with pytest.raises(ValueError):  # noqa: PT011 - of the encoding or of the cipher
            open_answer(*members)


def test_each_answer_has_a_nonce_of_its_own() -> None:
    key, page_key = bytes(32), bytes(32)
    wires = {seal_answer(b"x", key, ticket_id="t", page_key=page_key) for _ in range(50)}
    assert len(wires) == 50
    assert all(open_answer(wire, b64url(key), "t", b64url(page_key)) == b"x" for wire in wires)
