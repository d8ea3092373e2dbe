"""A fault of the provider ends no session, and valid tokens are used meanwhile (C64)."""

from __future__ import annotations

import pytest
from tokentoss import FileStorage, TokenRefreshError
from tokentoss.session import refresh

from kernel.faults import FAULTS, FAULTS_WITHOUT_ROTATION, SKEWS, WELL, give_up_after
from kernel.people import DUE, EXPIRED, aged, manager_at, refreshes, sign_in_aged

# Longer than the longest back-off.
LATER = 90
ALL = FAULTS | FAULTS_WITHOUT_ROTATION
CODES = {
    "503 with a page": "token_endpoint_failed",
    "500 with an OAuth error": "server_error",
    "temporarily unavailable": "temporarily_unavailable",
    "429": "token_endpoint_failed",
    "200 with a page": "refresh_answer_unreadable",
    "cut off JSON": "refresh_answer_unreadable",
    "no answer": "answer_incomplete",
    "connection closed": "answer_incomplete",
    "clock five minutes fast": "clock_skew",
    "answer lost": "answer_incomplete",
    "answer drips": "answer_incomplete",
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    give_up_after(monkeypatch, 2)
    monkeypatch.setattr(refresh, "PATIENCE", 0.6)


@pytest.mark.parametrize("fault", CODES)
def test_expired_tokens_outlive_a_fault(provider, clock, tmp_path, fault):
    manager = sign_in_aged(provider, tmp_path / "tokens.json", EXPIRED)
    clock.advance(0, skew=SKEWS.get(fault, 0), rotate=fault not in FAULTS_WITHOUT_ROTATION, **ALL[fault])
    with pytest.raises(TokenRefreshError) as failure:
        _ = manager.id_token
    assert failure.value.code == CODES[fault]
    assert manager.is_authenticated
    assert FileStorage(tmp_path / "tokens.json").load() is not None
    tried = refreshes(provider)
    with pytest.raises(TokenRefreshError):
        _ = manager.id_token
    # H1: who has no valid token asks for itself, unless the token may be spent or the provider wants time.
    again = 0 if fault == "429" or failure.value.code == "refresh_answer_unreadable" else tried
    assert refreshes(provider) <= tried + again, "the next caller does not hammer the provider"
    clock.advance(LATER, **WELL)
    assert manager.id_token
    assert manager.last_error is None


@pytest.mark.parametrize("fault", ALL)
def test_valid_tokens_serve_through_a_fault(provider, clock, tmp_path, fault):
    manager = sign_in_aged(provider, tmp_path / "tokens.json", DUE)
    before = manager.token_data.id_token
    clock.advance(0, skew=SKEWS.get(fault, 0), rotate=fault not in FAULTS_WITHOUT_ROTATION, **ALL[fault])
    served = manager.id_token
    # Without the keys, or with a clock that is slow, there is a new token all the same.
    assert served == before or fault in {"no keys", "clock five minutes slow"}
    clock.advance(LATER, **WELL)
    renewed = manager.id_token
    assert renewed != before
    assert manager.token_data.signature_checked


@pytest.mark.parametrize("fault", ["503 with a page", "no answer"])
def test_who_slept_uses_what_another_left(provider, clock, tmp_path, fault):
    """A process with expired tokens uses the valid ones that another process stored."""
    path = tmp_path / "tokens.json"
    sleeper = sign_in_aged(provider, path, EXPIRED)
    other = manager_at(provider, storage=FileStorage(path))
    other.refresh_tokens()
    still_valid = aged(provider, other.token_data, DUE)
    FileStorage(path).save(still_valid)
    clock.advance(0, **ALL[fault])
    assert sleeper.id_token == still_valid.id_token
    assert sleeper.id_token == still_valid.id_token


def test_a_provider_that_asks_for_time_is_given_it(provider, clock, tmp_path):
    manager = sign_in_aged(provider, tmp_path / "tokens.json", DUE)
    asks = FAULTS["429"]["token_answer"] | {"headers": {"Retry-After": "45"}}
    clock.advance(0, token_answer=asks)
    assert manager.id_token
    for _ in range(8):
        clock.advance(5)
        assert manager.id_token
    assert refreshes(provider) == 1
    clock.advance(10)
    assert manager.id_token
    assert refreshes(provider) == 2
