from __future__ import annotations

import json
import re
from pathlib import Path

from tokentoss import generate_pkce_pair
from tokentoss.oauth.pkce import code_challenge

VECTORS = Path(__file__).parent.parent / "vectors"


def test_rfc_7636_appendix_b_and_the_shared_vectors() -> None:
    """The challenges of the vectors and of RFC 7636 appendix B are reproduced (C3)."""
    vectors = json.loads((VECTORS / "pkce.json").read_text())
    assert any("appendix B" in vector["name"] for vector in vectors)
    for vector in vectors:
        assert code_challenge(vector["verifier"]) == vector["challenge"]


def test_pairs_are_fresh_and_well_formed() -> None:
    """1000 verifiers differ, with 43 allowed characters each (C3, C4)."""
    pairs = [generate_pkce_pair() for _ in range(1000)]
    assert len({verifier for verifier, _ in pairs}) == len(pairs)
    for verifier, challenge in pairs:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", verifier)
        assert challenge == code_challenge(verifier)
