"""Device sign-in (RFC 8628) at a misbehaving provider: pauses, error codes and secrecy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_provider import CLIENT_ID, Answer, FakeProvider
from tokentoss import AuthManager, IdTokenError, SignInError
from tokentoss.oauth import device_authorization
from tokentoss.oauth.device_authorization import GRANT_TYPE, Polling
from tokentoss.oauth.token_endpoint import TokenRequestError

Make = Callable[..., AuthManager]

CODE: dict[str, Any] = {
    "device_code": "device-secret-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://login.example/device",
    "expires_in": 600,
    "interval": 0,
}


def refused(error: str, status: int = 400) -> Answer:
    return Answer.json({"error": error}, status)


@pytest.fixture
def manager(fake: FakeProvider, make_manager: Make, monkeypatch: pytest.MonkeyPatch) -> AuthManager:
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)
    fake.answers["/device"] = Answer.json(CODE)
    return make_manager(provider=fake.provider(device_authorization_endpoint=fake.issuer + "/device"))


def polls(fake: FakeProvider) -> list[dict[str, str]]:
    return [form for _, path, _, form in fake.requests if path == "/token"]


def answer_in_turn(fake: FakeProvider, *answers: Answer) -> None:
    turns: Iterator[Answer] = iter(answers)
    fake.answers["/token"] = lambda _form: next(turns)


def tokens(fake: FakeProvider, **members: Any) -> Answer:
    return Answer.json(
        {
            "access_token": "access-1",
            "refresh_token": "refresh-1",
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": fake.id_token(**members),
        }
    )


def test_the_code_is_asked_for_and_polled_with(fake: FakeProvider, manager: AuthManager) -> None:
    answer_in_turn(fake, refused("authorization_pending"), refused("authorization_pending"), tokens(fake))
    sign_in = manager.sign_in_by_code()
    assert fake.requests[-1][3] == {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "scope": "openid email profile",
    }
    assert sign_in.finish() == manager.token_data
    assert manager.user_email == "ada@example.com"
    assert len(polls(fake)) == 3
    assert all(
        form
        == {
            "client_id": CLIENT_ID,
            "client_secret": "secret-1",
            "grant_type": GRANT_TYPE,
            "device_code": "device-secret-1",
        }
        for form in polls(fake)
    )


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_grant", "invalid_client"])
def test_a_refusal_ends_it_with_its_code(fake: FakeProvider, manager: AuthManager, code: str) -> None:
    answer_in_turn(fake, refused(code))
    with pytest.raises(SignInError) as refusal:
        manager.sign_in_by_code().finish()
    assert refusal.value.code == code
    assert len(polls(fake)) == 1
    assert not manager.is_authenticated


def test_a_wrong_id_token_is_not_kept(fake: FakeProvider, manager: AuthManager) -> None:
    answer_in_turn(fake, tokens(fake, aud="another"))
    with pytest.raises(IdTokenError) as refusal:
        manager.sign_in_by_code().finish()
    assert refusal.value.code == "id_token_audience_mismatch"
    assert not manager.is_authenticated


def test_a_code_that_runs_out_is_asked_for_no_longer(fake: FakeProvider, manager: AuthManager) -> None:
    fake.answers["/device"] = Answer.json(CODE | {"expires_in": 0.05, "interval": 3600})
    with pytest.raises(SignInError) as refusal:
        manager.sign_in_by_code().finish()
    assert refusal.value.code == "expired_token"
    assert polls(fake) == []


def test_cancelling_ends_the_wait(fake: FakeProvider, manager: AuthManager) -> None:
    fake.answers["/device"] = Answer.json(CODE | {"interval": 3600})
    sign_in = manager.sign_in_by_code()
    outcome: list[object] = []
    waiting = threading.Thread(target=lambda: outcome.append(sign_in.finish()))
    waiting.start()
    sign_in.cancel()
    waiting.join(30)
    assert outcome == [None]
    assert polls(fake) == []


def test_tokens_after_the_cancelling_are_not_taken(fake: FakeProvider, manager: AuthManager) -> None:
    sign_in = manager.sign_in_by_code()
    fake.answers["/token"] = answer = tokens(fake)
    answer.before = sign_in.cancel
    assert sign_in.finish() is None
    assert not manager.is_authenticated


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"device_code": ""}, "device_code"),
        ({"device_code": 7}, "device_code"),
        ({"user_code": None}, "user_code"),
        ({"user_code": "<b>x</b>\n"}, "user_code"),
        ({"user_code": "x" * 65}, "user_code"),
        ({"verification_uri": "http://login.example/device"}, "verification_uri"),
        ({"verification_uri": "javascript:alert(1)"}, "verification_uri"),
        ({"verification_uri": "https://login.example/" + "x" * 3000}, "verification_uri"),
        ({"expires_in": None}, "expires_in"),
        ({"expires_in": 0}, "expires_in"),
    ],
)
def test_an_unusable_answer_is_refused(
    fake: FakeProvider, manager: AuthManager, change: dict[str, Any], member: str
) -> None:
    fake.answers["/device"] = Answer.json(CODE | change)
    with pytest.raises(SignInError) as refusal:
        manager.sign_in_by_code()
    assert refusal.value.code == "device_response_invalid"
    assert member in str(refusal.value)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused("unauthorized_client"), "unauthorized_client"),
        (Answer(200, b"<html>"), "token_response_not_json"),
        (Answer(302, b"", {"Location": "https://elsewhere.example"}), "token_endpoint_redirected"),
        (Answer(503, b""), "token_endpoint_failed"),
        (Answer(200, b" " * 70_000), "token_response_too_large"),
        (refused("secret-1"), "provider_error"),
    ],
)
def test_no_code_ends_with_the_reason(
    fake: FakeProvider, manager: AuthManager, answer: Answer, code: str
) -> None:
    fake.answers["/device"] = answer
    with pytest.raises(SignInError) as refusal:
        manager.sign_in_by_code()
    assert refusal.value.code == code
    assert "secret-1" not in str(refusal.value)


def test_a_filled_in_page_of_another_host_is_not_shown(fake: FakeProvider, manager: AuthManager) -> None:
    fake.answers["/device"] = Answer.json(CODE | {"verification_uri_complete": "https://evil.example/?c=1"})
    assert manager.sign_in_by_code().authorization.verification_uri_complete is None


def test_google_s_older_name_of_the_page_is_known(fake: FakeProvider, manager: AuthManager) -> None:
    older = {name: value for name, value in CODE.items() if name != "verification_uri"}
    fake.answers["/device"] = Answer.json(older | {"verification_url": "https://www.google.com/device"})
    assert manager.sign_in_by_code().authorization.verification_uri == "https://www.google.com/device"


def test_a_provider_without_it_says_so(make_manager: Make) -> None:
    with pytest.raises(SignInError) as refusal:
        make_manager().sign_in_by_code()
    assert refusal.value.code == "device_authorization_unsupported"


def test_nothing_shows_the_device_code(manager: AuthManager) -> None:
    sign_in = manager.sign_in_by_code()
    shown = f"{sign_in!r} {sign_in.authorization!r} {vars(sign_in)!r}"
    assert "device-secret-1" not in shown


def failure(code: str, **members: Any) -> TokenRequestError:
    return TokenRequestError(code, **members)


def test_the_pauses_are_the_standard_s() -> None:
    """slow_down adds 5 seconds to the pause, a network failure doubles it (RFC 8628 section 3.5)."""
    polling = Polling(5.0)
    pauses = []
    for told in (
        failure("authorization_pending"),
        failure("slow_down"),
        failure("authorization_pending"),
        failure("slow_down"),
        failure("token_endpoint_unreachable", is_transient=True),
        failure("token_endpoint_unreachable", is_transient=True),
        failure("token_endpoint_failed", is_transient=True),
        failure("authorization_pending"),
        failure("token_endpoint_failed", is_transient=True, retry_after=90.0),
    ):
        assert polling.goes_on_after(told)
        pauses.append(polling.pause)
    assert pauses == [5, 10, 10, 15, 30, 60, 60, 15, 90]
    assert not polling.goes_on_after(failure("access_denied"))
