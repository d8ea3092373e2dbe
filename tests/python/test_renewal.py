"""Renewals: every kind of answer, and other processes that renew as well (C61 to C66)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from test_auth_manager import signed_in, stored
from tokentoss import (
    GOOGLE,
    AuthManager,
    FileStorage,
    MemoryStorage,
    NoCredentialsError,
    ReauthRequiredError,
    StorageError,
    TokenData,
    TokenRefreshError,
)
from tokentoss.oauth.id_token import access_token_hash
from tokentoss.session import refresh
from tokentoss.session.session import Session
from tokentoss.storage.token_data import iso_time
from tokentoss.util.http import Answer as HttpAnswer

Make = Callable[..., AuthManager]


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves."""
    monkeypatch.setattr(refresh, "PATIENCE", 6.0)
    passed: list[float] = []
    started = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: started + sum(passed))
    monkeypatch.setattr(time, "sleep", passed.append)
    return passed


def in_turn(*answers: Answer) -> Callable[[dict[str, str]], Answer]:
    remaining = list(answers)
    return lambda _form: remaining.pop(0) if len(remaining) > 1 else remaining[0]


def with_identity(fake: FakeProvider, tokens: TokenData) -> TokenData:
    return replace(
        tokens,
        issuer=fake.issuer,
        subject="user-1",
        client_id=CLIENT_ID,
        token_endpoint=fake.issuer + "/token",
    )


def test_rotated_tokens_are_on_disk_before_anybody_sees_them(make_manager: Make, fake: FakeProvider) -> None:
    """Rotated tokens are written to storage before the manager holds them (C62)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))
    seen: list[tuple[str, str]] = []
    write = storage.replace

    def watched(before: TokenData, after: TokenData) -> bool:
        assert manager.token_data is not None
        seen.append((manager.token_data.refresh_token, after.refresh_token))
        return write(before, after)

    storage.replace = watched  # type: ignore[method-assign]
    assert manager.id_token
    assert seen == [("refresh-1", "refresh-2")]
    kept = FileStorage().load()
    assert kept is not None
    assert (kept.refresh_token, kept.access_token) == ("refresh-2", "access-2")


def test_a_rotation_by_another_process_is_followed_though_the_id_token_is_the_same(
    make_manager: Make, fake: FakeProvider
) -> None:
    """Another process's new refresh token is used (C63)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    mine = manager.token_data
    assert mine is not None
    FileStorage().save(replace(mine, access_token="theirs", refresh_token="refresh-2"))
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-3"))
    assert manager.id_token
    assert [form["refresh_token"] for _, _, _, form in fake.requests if form] == ["refresh-2"]


def test_a_follower_renews_what_it_follows_if_that_is_due_as_well(
    make_manager: Make, fake: FakeProvider
) -> None:
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-100, storage=storage)
    FileStorage().save(with_identity(fake, stored(fake, expires_in=-50, refresh_token="refresh-2")))
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager.refresh_tokens()
    assert fake.requests[0][3]["refresh_token"] == "refresh-2"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iat_offset": 7200, "exp_offset": 10_800}, "clock_skew"),
        ({"iat_offset": -7200, "exp_offset": -3600}, "id_token_expired"),
    ],
)
def test_a_rotated_token_outlives_a_wrong_clock(
    make_manager: Make, fake: FakeProvider, claims: dict[str, int], code: str
) -> None:
    """A new refresh token is stored even if its ID token is refused (C62, C65)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10_000, storage=storage)
    before = manager.token_data
    now = int(time.time())
    token = fake.id_token(iat=now + claims["iat_offset"], exp=now + claims["exp_offset"])
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2", id_token=token))
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert refusal.value.code == code
    kept = FileStorage().load()
    assert kept is not None
    assert before is not None
    assert (kept.refresh_token, kept.id_token) == ("refresh-2", before.id_token)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-3"))
    manager._renewal.reset()
    assert manager.refresh_tokens().refresh_token == "refresh-3"
    assert fake.requests[-1][3]["refresh_token"] == "refresh-2"


def test_a_key_that_is_not_published_yet_costs_no_session(
    make_manager: Make, fake: FakeProvider, other_key: SigningKey
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    token = other_key.sign(fake.claims(at_hash=access_token_hash("access-2", "RS256")))
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2", id_token=token))
    with pytest.raises(TokenRefreshError, match="key"):
        manager.refresh_tokens()
    assert manager.token_data is not None
    assert manager.token_data.refresh_token == "refresh-2"


@pytest.mark.parametrize("claims", [{"sub": "user-2"}, {"iss": "https://x.example"}, {"aud": "x"}])
def test_nothing_is_kept_of_an_answer_for_somebody_else(
    make_manager: Make, fake: FakeProvider, claims: dict[str, str]
) -> None:
    """A refresh answer for another user, issuer or client changes no tokens (C61, R2, R3)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    before = manager.token_data
    answer = fake.token_response(refresh_token="refresh-2", id_token=fake.id_token(**claims))
    fake.answers["/token"] = Answer.json(answer)
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    kept = manager.storage.load()
    assert kept is not None
    assert manager.token_data == before
    assert (kept.refresh_token, kept.access_token) == ("refresh-1", "access-1")
    if "sub" in claims:
        assert refusal.value.code == "id_token_subject_mismatch"
        assert "another user" in str(refusal.value)


def test_a_stranger_behind_a_wrong_clock_is_still_a_stranger(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    token = fake.id_token(sub="user-2", iat=int(time.time()) + 7200, exp=int(time.time()) + 9999)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2", id_token=token))
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert manager.token_data is not None
    assert manager.token_data.refresh_token == "refresh-1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "invalid_grant"),
        ({"error_description": "Bad Request"}, "invalid_grant"),
        ({"error_description": "Token has been expired or revoked."}, "invalid_grant"),
        ({"error_description": "Token has been revoked."}, "grant_revoked"),
        ({"error_description": "Refresh token has expired"}, "grant_expired"),
        ({"error_description": "reauth related error (invalid_rapt)"}, "invalid_rapt"),
        ({"error_subtype": "invalid_rapt", "error_description": "reauth related error"}, "invalid_rapt"),
        ({"error_subtype": "rapt_required"}, "invalid_rapt"),
        ({"error_subtype": "admin_policy_enforced"}, "admin_policy_enforced"),
        ({"error_description": ["expired"]}, "invalid_grant"),
    ],
)
def test_the_end_of_a_grant_has_its_cause(
    make_manager: Make, fake: FakeProvider, answer: dict[str, Any], code: str
) -> None:
    """An invalid_grant ends the session, with an error code that names the cause (C64, C66)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant", **answer}, 400)
    with pytest.raises(ReauthRequiredError) as end:
        _ = manager.id_token
    assert end.value.code == code
    assert end.value.culprit == "provider_refused"
    assert "ign in again" in str(end.value)
    assert manager.last_error is end.value
    assert not manager.is_authenticated
    assert not manager.storage.exists()


@pytest.mark.parametrize(
    ("days", "code"), [(7.2, "grant_expired_testing"), (6, "invalid_grant"), (60, "invalid_grant")]
)
def test_googles_testing_mode_is_named(
    make_manager: Make, fake: FakeProvider, days: float, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = iso_time(time.time() - days * 86_400)
    manager = signed_in(make_manager, fake, expires_in=-10, connected_at=began)
    ended = Answer.json(
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400
    )
    fake.answers["/token"] = ended
    monkeypatch.setattr(refresh, "GOOGLE", replace(GOOGLE, issuer=fake.issuer))
    with pytest.raises(ReauthRequiredError) as end:
        manager.refresh_tokens()
    assert end.value.code == code


@pytest.mark.parametrize(
    "error", ["invalid_rapt", "admin_policy_enforced", "grant_expired", "invalid_client"]
)
def test_only_invalid_grant_ends_a_grant(make_manager: Make, fake: FakeProvider, error: str) -> None:
    """An error code such as invalid_client or grant_expired does not end the session (C64)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": error}, 400)
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert not isinstance(refusal.value, ReauthRequiredError)
    assert manager.is_authenticated


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_that_says_invalid_grant_does_not_mean_it(
    make_manager: Make, fake: FakeProvider, status: int
) -> None:
    """An invalid_grant with status 429, 500 or 503 does not end the session (C64)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, status)
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert manager.is_authenticated


def test_a_storage_that_cannot_be_read_does_not_end_a_grant(make_manager: Make, fake: FakeProvider) -> None:
    """invalid_grant does not end the session if the storage is unreadable (C64)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)

    def broken(_form: dict[str, str]) -> Answer:
        storage.path.write_text("{")
        return Answer.json({"error": "invalid_grant"}, 400)

    fake.answers["/token"] = broken
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert refusal.value.code == "storage_corrupt"
    assert manager.is_authenticated
    assert storage.path.read_text() == "{"


def test_a_caller_without_a_valid_token_is_patient(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """Without a valid token, a call retries temporary faults until it succeeds (C64)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = in_turn(
        Answer(503), Answer(502, b"<html>"), Answer(429), Answer.json(fake.token_response())
    )
    assert manager.id_token
    assert fake.calls("/token") == 4
    assert [0.25 <= sleeps[0] <= 0.5, 0.5 <= sleeps[1] <= 1.0, 1.0 <= sleeps[2] <= 2.0] == [True] * 3
    assert manager.last_error is None


def test_patience_ends(make_manager: Make, fake: FakeProvider, sleeps: list[float]) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    with pytest.raises(TokenRefreshError):
        _ = manager.id_token
    assert sum(sleeps) <= 6.0
    assert 2 <= fake.calls("/token") <= 6


@pytest.mark.parametrize("answer", [Answer.json({"error": "invalid_client"}, 401), Answer(404), Answer(302)])
def test_what_does_not_pass_is_not_tried_again(
    make_manager: Make, fake: FakeProvider, sleeps: list[float], answer: Answer
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = answer
    with pytest.raises(TokenRefreshError):
        _ = manager.id_token
    assert (fake.calls("/token"), sleeps) == (1, [])


def test_a_caller_with_a_valid_token_does_not_wait(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """A valid token is returned after one failed renewal, without a pause (C64)."""
    manager = signed_in(make_manager, fake, expires_in=100)
    fake.answers["/token"] = Answer(503)
    assert manager.id_token
    assert (fake.calls("/token"), sleeps) == (1, [])


def test_retry_after_is_honoured(make_manager: Make, fake: FakeProvider, sleeps: list[float]) -> None:
    """Retry-After is obeyed, as seconds within a call and as a date between calls (C64)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = in_turn(
        Answer.json({}, 429, Retry_After="4"), Answer.json(fake.token_response())
    )
    assert manager.id_token
    assert sleeps == [4.0]

    late = signed_in(make_manager, fake, expires_in=100)
    moment = datetime.fromtimestamp(time.time() + 300, timezone.utc)
    fake.answers["/token"] = Answer.json({}, 503, Retry_After=format_datetime(moment, usegmt=True))
    before = fake.calls("/token")
    assert late.id_token
    sleeps.append(280.0)
    assert late.id_token
    assert fake.calls("/token") == before + 1
    sleeps.append(30.0)
    assert late.id_token
    assert fake.calls("/token") == before + 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("99999999", 3600.0), ("-5", None), ("soon", None), ("", None), ("٣", None)],
)
def test_other_retry_afters(value: str, seconds: float | None) -> None:
    assert HttpAnswer(503, {"Retry-After": value}, b"").retry_after() == seconds


def test_a_valid_token_is_served_while_another_renews(make_manager: Make, fake: FakeProvider) -> None:
    """A caller with a valid token does not wait for a renewal under way (C63)."""
    storage = FileStorage()
    first = signed_in(make_manager, fake, expires_in=100, storage=storage)
    second = make_manager(storage=FileStorage())
    before = first.token_data
    assert before is not None
    answering, may_answer = threading.Event(), threading.Event()
    answer = Answer.json(fake.token_response())

    def wait() -> None:
        answering.set()
        may_answer.wait(20)

    answer.before = wait
    fake.answers["/token"] = answer
    renewing = threading.Thread(target=lambda: first.id_token)
    renewing.start()
    assert answering.wait(20)
    assert first.id_token == second.id_token == before.id_token
    assert (first.last_error, second.last_error) == (None, None)
    may_answer.set()
    renewing.join()
    assert first.id_token == second.id_token != before.id_token
    assert fake.calls("/token") == 1


@pytest.mark.parametrize("make_storage", [FileStorage, MemoryStorage])
def test_managers_of_one_storage_renew_once(
    make_manager: Make, fake: FakeProvider, make_storage: Any
) -> None:
    """64 threads on 8 managers of one storage cause one refresh and get the same token (C63)."""
    storage = make_storage()
    storage.save(stored(fake, expires_in=-10))
    managers = [make_manager(storage=storage) for _ in range(8)]
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))
    start = threading.Barrier(64)
    results: list[str | None] = []

    def call(manager: AuthManager) -> None:
        start.wait()
        results.append(manager.id_token)

    threads = [threading.Thread(target=call, args=(managers[number % 8],)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.calls("/token") == 1
    assert len(results) == 64
    assert set(results) == {managers[0].id_token}


def test_a_turn_that_never_comes_is_an_error_of_its_own(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "TURN_TIMEOUT", 0.05)
    storage = MemoryStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    tokens = manager.token_data
    assert tokens is not None
    with storage.renewing(tokens, 0), pytest.raises(TokenRefreshError) as refusal:
        _ = manager.id_token
    assert refusal.value.code == "refresh_busy"
    assert manager.is_authenticated
    assert fake.requests == []


def test_signed_out_by_another_process(make_manager: Make, fake: FakeProvider) -> None:
    """A sign-out by another process, before or during a renewal, ends the session."""
    storage = FileStorage()
    early = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    FileStorage().clear()
    with pytest.raises(ReauthRequiredError) as end:
        _ = early.id_token
    assert end.value.code == "signed_out_elsewhere"
    assert fake.requests == []

    late = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    answer = Answer.json(fake.token_response(refresh_token="refresh-2"))
    answer.before = FileStorage().clear
    fake.answers["/token"] = answer
    with pytest.raises(ReauthRequiredError):
        _ = late.id_token
    assert not late.is_authenticated
    assert not storage.exists()


def test_another_sign_in_during_a_renewal_wins(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    newer = with_identity(fake, stored(fake, access_token="newer", refresh_token="of-the-new-grant"))
    answer = Answer.json(fake.token_response(refresh_token="refresh-2"))
    answer.before = lambda: FileStorage().save(newer)
    fake.answers["/token"] = answer
    assert manager.refresh_tokens().refresh_token == "of-the-new-grant"
    kept = storage.load()
    assert kept is not None
    assert kept.refresh_token == "of-the-new-grant"


def test_tokens_that_cannot_be_stored_are_stored_later(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens that cannot be stored are used from memory, and stored by the next renewal (C62)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))

    def full(*_: Any) -> bool:
        raise StorageError(code="storage_unwritable")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(FileStorage, "_write", full)
        assert manager.refresh_tokens().refresh_token == "refresh-2"
        assert isinstance(manager.last_error, StorageError)
    assert "not stored" in caplog.text
    fake.answers["/token"] = Answer.json(
        fake.token_response(refresh_token="refresh-3", access_token="access-2")
    )
    manager.refresh_tokens()
    assert fake.requests[-1][3]["refresh_token"] == "refresh-2"
    kept = storage.load()
    assert kept is not None
    assert kept.refresh_token == "refresh-3"


def test_a_provider_that_renews_no_id_token_is_not_asked_at_every_use(
    make_manager: Make, fake: FakeProvider
) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=None))
    for _ in range(5):
        with pytest.raises(TokenRefreshError) as refusal:
            _ = manager.id_token
        assert refusal.value.code == "id_token_missing"
    assert fake.calls("/token") == 1


@pytest.mark.parametrize(
    ("lifetime", "age", "is_due"),
    [
        (3600, 3300, False),
        (3600, 3400, True),
        (300, 140, False),
        (300, 160, True),
        (60, 29, False),
        (60, 31, True),
    ],
)
def test_the_margin(fake: FakeProvider, lifetime: int, age: int, is_due: bool) -> None:
    """A token is due four minutes before its end, or later if its lifetime is short."""
    began = int(time.time()) - age
    tokens = stored(
        fake,
        claims={"iat": began, "exp": began + lifetime},
        expiry=iso_time(began + lifetime),
        updated_at=iso_time(began),
    )
    session = Session.of(tokens)
    assert (session.id_token_due_at <= time.time()) == is_due
    assert (session.access_token_due_at <= time.time()) == is_due


def test_the_access_token_has_an_expiry_of_its_own(make_manager: Make, fake: FakeProvider) -> None:
    now = int(time.time())
    manager = signed_in(make_manager, fake, expires_in=-10, claims={"iat": now, "exp": now + 3600})
    fake.answers["/token"] = Answer.json(fake.token_response())
    before = manager.id_token
    assert fake.calls("/token") == 0
    assert manager.access_token == "access-2"
    assert manager.access_token == "access-2"
    assert fake.calls("/token") == 1
    assert manager.id_token != before


def test_the_lifetime_of_a_session_ends_while_it_is_used(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, created_at=iso_time(time.time() - 23.9 * 3600))
    changes: list[bool] = []

    class Watcher:
        def changed(self) -> None:
            changes.append(manager.is_authenticated)

    watcher = Watcher()
    manager.observe_session(watcher.changed)
    assert manager.id_token
    manager.max_session_lifetime_hours = 23.5
    assert not manager.is_authenticated
    assert manager.id_token is None
    assert isinstance(manager.last_error, NoCredentialsError)
    assert str(manager.last_error) == "Your session ended after 23.5 h. Sign in again."
    assert changes == [False]
    assert manager.storage.exists(), "others may have a longer limit"


def test_a_lost_answer_of_a_rotation_ends_in_one_sign_in(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """After a lost answer, one later attempt ends the session, without a loop (C65)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    used: set[str] = set()

    def strict(form: dict[str, str]) -> Answer:
        if form["refresh_token"] in used:
            return Answer.json({"error": "invalid_grant"}, 400)
        used.add(form["refresh_token"])
        return Answer(200, b"{", {"Content-Type": "application/json"})

    fake.answers["/token"] = strict
    for _ in range(3):
        with pytest.raises(TokenRefreshError) as refusal:
            _ = manager.id_token
        assert refusal.value.code == "refresh_answer_unreadable"
        assert manager.is_authenticated
    assert fake.calls("/token") == 1
    sleeps.append(31.0)
    for _ in range(3):
        with pytest.raises(TokenRefreshError):
            _ = manager.id_token or manager.refresh_tokens()
    assert fake.calls("/token") == 2, "no loop"
    assert not manager.is_authenticated


def test_a_provider_with_grace_gives_a_lost_answer_again(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """After a lost answer, a provider that takes the old token again renews (C65)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = in_turn(
        Answer(200, b"{"), Answer.json(fake.token_response(refresh_token="refresh-2"))
    )
    with pytest.raises(TokenRefreshError, match="may have used up"):
        _ = manager.id_token
    sleeps.append(31.0)
    assert manager.id_token
    assert manager.token_data is not None
    assert manager.token_data.refresh_token == "refresh-2"
