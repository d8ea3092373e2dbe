"""Answers of a device authorization grant are read as the vectors say, which Rust shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tokentoss import SignInError
from tokentoss.oauth.client_authentication import Form
from tokentoss.oauth.device_authorization import Polling, request_device_authorization
from tokentoss.oauth.token_endpoint import TokenRequestError, ask_for_tokens
from tokentoss.util.http import Answer, TransportError

VECTORS = Path(__file__).parent.parent / "vectors"
ENDPOINT = "https://as.example/device_authorization"
LIMIT = 65_536


def vectors(name: str) -> list[Any]:
    read: list[Any] = json.loads((VECTORS / name).read_text())
    assert len(read) >= 20
    return [pytest.param(vector, id=vector["name"]) for vector in read]


def answer(vector: dict[str, Any] | None) -> Answer:
    """What a call brings, or its failure."""
    if vector is None:
        raise TransportError("unreachable")
    body = vector["body"].encode()
    if len(body) > LIMIT:
        raise TransportError("too_large")
    return Answer(vector["status"], {}, body)


@pytest.mark.parametrize("vector", vectors("device_authorization.json"))
def test_device_authorization_answers(vector: dict[str, Any]) -> None:
    with patch("tokentoss.util.http.call", lambda *_arguments, **_options: answer(vector)):
        if "shown" not in vector:
            with pytest.raises(SignInError) as refusal:
                request_device_authorization(ENDPOINT, Form(), ["openid"])
            assert refusal.value.code == vector["code"]
            assert vector["member"] is None or vector["member"] in str(refusal.value)
            return
        code = request_device_authorization(ENDPOINT, Form(), ["openid"])
    assert vector["shown"] == {
        "user_code": code.user_code,
        "verification_uri": code.verification_uri,
        "complete": code.verification_uri_complete,
        "expires_in": code.expires_in,
        "interval": code.interval,
    }
    assert code.device_code == "d-1"


@pytest.mark.parametrize("vector", vectors("device_polling.json"))
def test_polling_decisions(vector: dict[str, Any]) -> None:
    polling = Polling(vector["interval"])
    pauses: list[float] = []
    end = ""
    for poll in vector["polls"]:
        assert end == "", "nothing comes after the end"
        try:
            with patch(
                "tokentoss.oauth.token_endpoint.call", lambda *_arguments, poll=poll, **_options: answer(poll)
            ):
                ask_for_tokens("https://as.example/token", Form())
            end = "tokens"
        except TokenRequestError as failure:
            if polling.goes_on_after(failure):
                pauses.append(polling.pause)
            else:
                end = failure.code
    assert (pauses, end) == (vector["pauses"], vector["end"])
