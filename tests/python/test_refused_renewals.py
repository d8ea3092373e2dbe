"""Renewals that a provider refuses, answers unreadably, or cannot answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from fake_provider import Answer, FakeProvider
from test_auth_manager import signed_in, stored
from test_renewal import in_turn, sleeps
from tokentoss import (
    AuthManager,
    FileStorage,
    ReauthRequiredError,
    StorageError,
    TokenData,
    TokenRefreshError,
)
from tokentoss.oauth.id_token import access_token_hash

Make = Callable[..., AuthManager]

__all__ = ["sleeps"]


@pytest.mark.parametrize(
    "error",
    [
        "interaction_required",
        "consent_required",
        "login_required",
        "access_denied",
        "account_selection_required",
    ],
)
def test_a_provider_that_asks_for_the_user_ends_the_session(
    make_manager: Make, fake: FakeProvider, error: str
) -> None:
    """A refresh error that asks for the user ends the session, with that error's code (F8)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": error}, 400)
    with pytest.raises(ReauthRequiredError) as end:
        _ = manager.id_token
    assert end.value.code == error
    assert "ign in again" in str(end.value)
    assert not manager.is_authenticated
    assert not manager.storage.exists()


def test_an_invalid_request_that_is_said_twice_ends_the_session(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """invalid_request twice in a row ends the session with grant_forgotten (H4)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": "invalid_request"}, 400)
    with pytest.raises(ReauthRequiredError) as end:
        _ = manager.id_token
    assert end.value.code == "grant_forgotten"
    assert str(end.value) == f"{fake.issuer}/token refused to renew your session twice. Sign in again."
    assert fake.calls("/token") == 2
    assert not manager.is_authenticated


def test_an_invalid_request_that_is_said_once_ends_nothing(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """An invalid_request that is not repeated at once does not end the session (H4)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    once = Answer.json({"error": "invalid_request"}, 400)
    fake.answers["/token"] = in_turn(once, Answer(503), once, Answer.json(fake.token_response()))
    assert manager.id_token
    assert manager.is_authenticated


@pytest.mark.parametrize("body", [b"{", b"", b'{"access_token": 7}', b'{"access_token": "a"}'])
def test_an_answer_that_cannot_be_read_is_not_asked_for_again_at_once(
    make_manager: Make, fake: FakeProvider, sleeps: list[float], body: bytes
) -> None:
    """An unreadable answer is followed by a pause, for all managers (F25)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer(200, body)
    for one in (manager, manager, make_manager(storage=FileStorage())):
        with pytest.raises(TokenRefreshError) as refusal:
            _ = one.id_token
        assert refusal.value.code == "refresh_answer_unreadable"
        assert one.is_authenticated
    assert fake.calls("/token") == 1
    sleeps.append(31.0)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    with pytest.raises(ReauthRequiredError):
        _ = manager.id_token
    assert fake.calls("/token") == 2


def test_a_new_refresh_token_in_an_answer_of_no_use_is_kept(make_manager: Make, fake: FakeProvider) -> None:
    """A new refresh token in an otherwise invalid answer is stored and used next (F25)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer.json({"token_type": "Bearer", "refresh_token": "refresh-2"})
    with pytest.raises(TokenRefreshError) as refusal:
        _ = manager.id_token
    assert refusal.value.code == "token_response_invalid"
    kept = storage.load()
    assert kept is not None
    assert (kept.refresh_token, kept.access_token) == ("refresh-2", "access-1")
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-3"))
    assert manager.id_token
    assert [form["refresh_token"] for _, _, _, form in fake.requests if form] == ["refresh-1", "refresh-2"]


def test_after_an_outage_a_call_without_a_token_asks(
    make_manager: Make, fake: FakeProvider, sleeps: list[float]
) -> None:
    """After an outage, a call without a valid token retries for up to six seconds (H1)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    for _ in range(6):
        with pytest.raises(TokenRefreshError):
            _ = manager.id_token
    before, slept = fake.calls("/token"), sum(sleeps)
    with pytest.raises(TokenRefreshError):
        _ = manager.id_token
    assert fake.calls("/token") > before + 1
    assert 1.0 < sum(sleeps) - slept <= 6.0
    fake.answers["/token"] = Answer.json(fake.token_response())
    assert manager.id_token


class CountingLock:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked = 0

    def acquire(self, timeout: float) -> bool:
        self.asked += 1
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()


def test_calls_that_wait_share_one_attempt(
    make_manager: Make, fake: FakeProvider, eventually: Callable[[Callable[[], object]], object]
) -> None:
    """Calls that wait for a renewal share the attempt and its failure (H1)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    turn = CountingLock()
    manager._renewal._turn = turn  # type: ignore[assignment]
    at_once: list[int] = []
    under_way = 0
    lock = threading.Lock()
    everybody = threading.Barrier(13)
    answering = threading.Event()

    def slow(_form: dict[str, str]) -> Answer:
        nonlocal under_way
        with lock:
            under_way += 1
            at_once.append(under_way)
        answering.wait(20)
        with lock:
            under_way -= 1
        return Answer(503)

    fake.answers["/token"] = slow
    failures: list[str] = []

    def call() -> None:
        everybody.wait()
        try:
            _ = manager.id_token
        except TokenRefreshError as failure:
            failures.append(failure.code)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    everybody.wait()
    eventually(lambda: at_once and turn.asked == 12)
    answering.set()
    for thread in threads:
        thread.join()
    assert failures == ["token_endpoint_failed"] * 12
    assert max(at_once) == 1
    assert len(at_once) <= 4


def test_refused_calls_renew_once(make_manager: Make, fake: FakeProvider) -> None:
    """A service that refuses every token causes one token request (P5)."""
    manager = signed_in(make_manager, fake, expires_in=3600)
    served = [0]

    def tokens(_form: dict[str, str]) -> Answer:
        served[0] += 1
        name = f"access-{served[0] + 1}"
        token = fake.id_token(at_hash=access_token_hash(name, "RS256"), jti=name)
        return Answer.json(fake.token_response(access_token=name, id_token=token))

    fake.answers["/token"] = tokens
    assert manager.access_token_after(str(manager.access_token)) == "access-2"
    for _ in range(10):
        assert manager.access_token_after(str(manager.access_token)) is None
        assert manager.id_token_after(str(manager.id_token)) is None
    assert manager.access_token == "access-2"
    assert manager.id_token is not None
    assert fake.calls("/token") == 1


def test_a_token_that_could_not_be_written_does_not_undo_a_sign_out(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was not written does not undo another process's sign-out (P4)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))

    def full(*_: object) -> None:
        raise StorageError(code="storage_unwritable")

    with monkeypatch.context() as patch:
        patch.setattr(FileStorage, "_write", full)
        manager.refresh_tokens()
    FileStorage().clear()
    with pytest.raises(ReauthRequiredError) as end:
        manager.refresh_tokens()
    assert end.value.code == "signed_out_elsewhere"
    assert not storage.exists()
    assert not manager.is_authenticated


def test_a_token_that_could_not_be_written_is_written_at_the_next_use(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was not written is stored at the next use (F18)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2", expires_in=100))

    def full(*_: object) -> None:
        raise StorageError(code="storage_unwritable")

    with monkeypatch.context() as patch:
        patch.setattr(FileStorage, "_write", full)
        manager.refresh_tokens()
    fake.answers["/token"] = Answer(503)
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    kept = storage.load()
    assert kept is not None
    assert kept.refresh_token == "refresh-2"


def test_a_sign_in_that_comes_between_stays(make_manager: Make, fake: FakeProvider) -> None:
    """The end of an old session does not remove tokens of a newer one (P3)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    session = manager._store.session
    assert session is not None
    newer = replace(session.tokens, refresh_token="refresh-new")
    storage.save(newer)
    assert not storage.discard(session.tokens)
    manager._store.discard(session)
    assert storage.load() == newer
    assert storage.discard(newer)
    assert not storage.exists()


class FourMethods:
    """A storage as a user would write it, without a hash."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.tokens: TokenData | None = None

    def __eq__(self, other: object) -> bool:
        return True

    def save(self, tokens: TokenData) -> None:
        self.tokens = tokens

    def load(self) -> TokenData | None:
        return self.tokens

    def clear(self) -> None:
        self.tokens = None

    def exists(self) -> bool:
        return self.tokens is not None


def test_two_managers_on_a_storage_of_the_users_own_make_one_request(
    make_manager: Make, fake: FakeProvider
) -> None:
    """Two managers of one custom storage share one request (P6)."""
    storage = FourMethods()
    storage.save(stored(fake, expires_in=-10))
    managers = [make_manager(storage=storage) for _ in range(2)]
    other = make_manager(storage=FourMethods())
    assert managers[0]._store.storage is managers[1]._store.storage is not other._store.storage
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))
    start = threading.Barrier(2)

    def call(manager: AuthManager) -> None:
        start.wait()
        assert manager.id_token

    threads = [threading.Thread(target=call, args=(manager,)) for manager in managers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [form["refresh_token"] for _, _, _, form in fake.requests if form] == ["refresh-1"]
