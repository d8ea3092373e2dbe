"""Each vector's answer to a refresh request leads to the outcome that the vector states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.token_endpoint import refusal_of
from tokentoss.oauth.token_response import TokenRequestError, tokens_in
from tokentoss.session.refusals import Verdict, verdict_on
from tokentoss.util.http import Answer

CASES = json.loads(Path(__file__).parents[1].joinpath("vectors", "renewal.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_vectors(case: dict[str, Any]) -> None:
    """The answer of each vector leads to the outcome that the vector states (F8, F20, F25, H4)."""
    answer = Answer(case["status"], {}, case["body"].encode())
    outcome = refusal_of(answer, "https://idp.example/token", Form()) or tokens_in(answer.json_object() or {})
    if not isinstance(outcome, TokenRequestError):
        assert case["outcome"] == "tokens"
        return
    assert verdict_on(outcome, case["rotation"]) is Verdict(case["outcome"])
    assert (outcome.rotated is not None) == case.get("rotated", False)
