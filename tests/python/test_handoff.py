from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from hypothesis import given
from hypothesis import strategies as st
from page import Page
from tokentoss import AuthManager, HandOffError
from tokentoss.handoff.envelope import read_code, read_tokens
from tokentoss.handoff.registration import MAX_REGISTRATIONS, Registration
from tokentoss.handoff.sealing import MAX_SEALED_LENGTH, request_nonce
from tokentoss.handoff.sign_in import HandOff

Make = Callable[..., AuthManager]


class Attempt:
    def __init__(self, manager: AuthManager) -> None:
        self.manager = manager
        self.decisions: list[str] = []
        self.hand_off = HandOff(
            manager,
            "http://127.0.0.1:1/",
            login_hint="ada@example.com",
            send=lambda message: None,
            decided=lambda _, refusal: self.decisions.append(refusal.code if refusal else ""),
        )
        self.page = Page(self.hand_off.ticket())


@pytest.fixture
def attempt(make_manager: Make) -> Attempt:
    return Attempt(make_manager())


def test_the_ticket(attempt: Attempt, fake: FakeProvider) -> None:
    """The ticket has the shape that the page reads, and holds no secret (C70)."""
    ticket = attempt.hand_off.ticket()
    assert set(ticket) == {
        "version",
        "id",
        "nonce",
        "public_key",
        "client_id",
        "client_secret_sealed",
        "scopes",
        "redirect_uri",
        "callback_pages",
        "exchange",
        "remote_kernel",
        "provider",
        "hosted_domain",
        "login_hint",
    }
    assert [len(ticket[name]) for name in ("id", "nonce", "public_key")] == [22, 43, 43]
    assert ticket["client_secret_sealed"] is True
    assert ticket["provider"] == {
        "issuer": fake.issuer,
        "authorization_endpoint": fake.issuer + "/auth",
        "token_endpoint": fake.issuer + "/token",
        "device_authorization_endpoint": None,
        "token_endpoint_auth_method": "client_secret_post",
        "token_endpoint_cors": None,
        "openid_connect": True,
        "iss_parameter_supported": False,
        "authorization_params": {},
        "id_token_signing_algs": ["RS256"],
    }
    assert "secret-1" not in repr(ticket)
    assert ticket["remote_kernel"] is False


def test_tickets_are_fresh(make_manager: Make) -> None:
    """50 tickets of one manager share no id, nonce or public key (C4)."""
    manager = make_manager()
    tickets = [Attempt(manager).hand_off.ticket() for _ in range(50)]
    for name in ("id", "nonce", "public_key"):
        assert len({ticket[name] for ticket in tickets}) == 50


def test_a_good_envelope_signs_in(attempt: Attempt, fake: FakeProvider) -> None:
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == ""
    assert attempt.decisions == [""]
    tokens = attempt.manager.token_data
    assert tokens is not None
    assert (tokens.access_token, tokens.refresh_token, tokens.scopes) == (
        "access-1",
        "refresh-1",
        ["openid", "email"],
    )


def test_a_replay_gets_the_same_answer_and_does_nothing(attempt: Attempt, fake: FakeProvider) -> None:
    """A replayed envelope gets the first answer and does not sign in again (C71)."""
    sealed = attempt.page.envelope(fake)
    assert attempt.hand_off.deliver(sealed) == ""
    attempt.manager.clear()
    assert attempt.hand_off.deliver(sealed) == ""
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == ""
    assert attempt.decisions == [""]
    assert not attempt.manager.is_authenticated
    assert attempt.hand_off._key is None


def test_garbage_changes_nothing(attempt: Attempt, fake: FakeProvider, make_manager: Make) -> None:
    """Garbage and another ticket's envelope are refused, and the right one still counts (C71)."""
    other = Attempt(make_manager())
    for sealed in ("", "x", "A" * 5000, "A" * (MAX_SEALED_LENGTH + 1), other.page.envelope(fake)):
        assert attempt.hand_off.deliver(sealed) == "envelope_unreadable"
    assert attempt.decisions == []
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == ""


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "other"}, "id_token_nonce_mismatch"),
        ({"iss": "https://x.example"}, "id_token_issuer_mismatch"),
        ({"aud": "x"}, "id_token_audience_mismatch"),
        ({"at_hash": "x"}, "id_token_access_token_hash_mismatch"),
        ({"exp": 1_600_000_000, "iat": 1_599_990_000}, "id_token_expired"),
        ({"sub": None}, "id_token_subject_missing"),
    ],
)
def test_a_bad_id_token_consumes_the_ticket(
    attempt: Attempt, fake: FakeProvider, claims: dict[str, Any], code: str
) -> None:
    """A bad ID token is refused and uses the ticket up (C7, C60)."""
    assert attempt.hand_off.deliver(attempt.page.envelope(fake, claims)) == code
    assert attempt.decisions == [code]
    assert not attempt.manager.is_authenticated
    assert attempt.manager.storage.load() is None
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == code, "there is no second try on a ticket"


@pytest.mark.parametrize(
    "missing", ["version", "ticket", "salt", "received_at", "access_token", "id_token", "scopes"]
)
def test_an_envelope_without_a_member(attempt: Attempt, fake: FakeProvider, missing: str) -> None:
    plaintext = attempt.page.plaintext(fake)
    del plaintext[missing]
    assert attempt.hand_off.deliver(attempt.page.seal(plaintext)) == "envelope_unreadable"
    assert attempt.decisions == ["envelope_unreadable"]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"ticket": "other"},
        {"salt": ""},
        {"salt": 5},
        {"salt": "A" * 21},
        {"access_token": ""},
        {"access_token": None},
        {"id_token": None},
        {"received_at": "now"},
        {"received_at": True},
        {"refresh_token": 5},
        {"scopes": "openid"},
        {"scopes": [5]},
        {"scopes": ["x"] * 999},
    ],
)
def test_an_envelope_of_the_wrong_form(attempt: Attempt, fake: FakeProvider, change: dict[str, Any]) -> None:
    sealed = attempt.page.envelope(fake, **change)
    assert attempt.hand_off.deliver(sealed) == "envelope_unreadable"


@pytest.mark.parametrize(
    "change",
    [
        {"refresh_token": None},
        {"expires_in": None},
        {"expires_in": 10**30},
        {"expires_in": -5},
        {"received_at": 1e308},
        {"scopes": []},
        {"unknown": {"member": 1}},
    ],
)
def test_an_envelope_with_odd_but_legal_members(
    attempt: Attempt, fake: FakeProvider, change: dict[str, Any]
) -> None:
    """Absent, extreme and unknown members in an envelope are accepted (C47, C48)."""
    assert attempt.hand_off.deliver(attempt.page.envelope(fake, **change)) == ""


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_no_plaintext_breaks_the_reader(plaintext: bytes) -> None:
    with pytest.raises(HandOffError):
        read_tokens(plaintext, "ticket")
    with pytest.raises(HandOffError):
        read_code(plaintext, "ticket", ("http://127.0.0.1:1/",))


def test_a_missing_id_token(attempt: Attempt, fake: FakeProvider) -> None:
    assert attempt.hand_off.deliver(attempt.page.envelope(fake, id_token="")) == "id_token_missing"


def test_both_ways_at_once_get_one_decision(attempt: Attempt, fake: FakeProvider) -> None:
    """The same envelope delivered by eight threads gets one decision."""
    sealed = attempt.page.envelope(fake)
    deciding, go_on = threading.Event(), threading.Event()

    def slow_keys() -> None:
        deciding.set()
        go_on.wait(20)

    answer = fake.standard("/keys")
    answer.before = slow_keys
    fake.answers["/keys"] = answer
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda: codes.append(attempt.hand_off.deliver(sealed))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert deciding.wait(20)
    assert attempt.hand_off.is_deciding
    assert codes == []
    go_on.set()
    for thread in threads:
        thread.join()
    assert codes == [""] * 8
    assert attempt.decisions == [""]


def test_keys_that_cannot_be_fetched_do_not_stop_a_sign_in(attempt: Attempt, fake: FakeProvider) -> None:
    fake.answers["/keys"] = Answer(503)
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == ""
    assert attempt.manager.token_data is not None
    assert not attempt.manager.token_data.signature_checked


def test_an_unforeseen_failure_is_still_a_decision(
    attempt: Attempt, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(attempt.manager, "accept", fail)
    sealed = attempt.page.envelope(fake)
    assert attempt.hand_off.deliver(sealed) == "kernel_error"
    assert "ZeroDivisionError" in caplog.text
    assert "access-1" not in caplog.text


def test_a_cancelled_hand_off_takes_nothing(attempt: Attempt, fake: FakeProvider) -> None:
    attempt.hand_off.cancel()
    assert attempt.hand_off.deliver(attempt.page.envelope(fake)) == "ticket_unknown"
    assert not attempt.manager.is_authenticated
    with pytest.raises(HandOffError) as refusal:
        attempt.hand_off.register(Registration("s" * 32, "https://as", "https://x", attempt.page.key.public))
    assert refusal.value.code == "ticket_unknown"


def test_registrations_are_bounded_and_matched_by_state(attempt: Attempt) -> None:
    hand_off = attempt.hand_off
    for number in range(MAX_REGISTRATIONS + 3):
        hand_off.register(Registration(f"state-{number}", "https://as", "https://x", attempt.page.key.public))
    assert len(hand_off.registrations._by_state) == MAX_REGISTRATIONS
    assert hand_off.take_callback("state-0", "q") is None
    newest = hand_off.take_callback("state-10", "code=1")
    assert newest is not None
    assert hand_off.take_callback("state-10", "code=2") is None, "once (C6)"
    assert hand_off.registrations.of_page(newest.page_token) is newest
    assert hand_off.registrations.of_page("") is None
    unanswered = hand_off.registrations.get("state-9")
    assert unanswered is not None
    assert hand_off.registrations.of_page(unanswered.page_token) is None, "its page was never served"
    assert "state-10" not in repr(newest)


def test_every_attempt_on_a_ticket_has_its_own_nonce(attempt: Attempt) -> None:
    """Different salts give different nonces, none of them the ticket's own (C4)."""
    nonce = attempt.hand_off.ticket()["nonce"]
    assert len({request_nonce(nonce, salt) for salt in ("a", "b", "c")} | {nonce}) == 4
