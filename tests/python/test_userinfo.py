"""Claims from the userinfo endpoint (OpenID Connect Core 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import Answer, FakeProvider
from tokentoss import AuthManager, ConfigurationError, NoCredentialsError, Provider, UserinfoError
from tokentoss.oauth.token_response import TokenResponse

Make = Callable[..., AuthManager]


@pytest.fixture
def manager(make_manager: Make, fake: FakeProvider) -> AuthManager:
    manager = make_manager(provider=fake.provider(userinfo_endpoint=fake.issuer + "/userinfo"))
    response = TokenResponse("access-1", fake.id_token(nonce="n"), "refresh-1", 3600.0, ["openid"])
    manager.accept(response, nonce="n")
    return manager


def test_claims_of_the_user_who_signed_in(manager: AuthManager, fake: FakeProvider) -> None:
    """The access token is sent in the header only, and the claims are returned (C49)."""
    fake.answers["/userinfo"] = Answer.json({"sub": "user-1", "phone_number": "+1 555"})
    assert manager.userinfo() == {"sub": "user-1", "phone_number": "+1 555"}
    method, target, headers, _ = fake.requests[-1]
    assert (method, target, headers["Authorization"]) == ("GET", "/userinfo", "Bearer access-1")


def test_a_claim_that_stands_there_twice(manager: AuthManager, fake: FakeProvider) -> None:
    fake.answers["/userinfo"] = Answer(
        200, b'{"sub": "user-1", "name": "Ada", "email": "a@b", "email": "c@d"}'
    )
    assert manager.userinfo() == {"sub": "user-1", "name": "Ada"}
    fake.answers["/userinfo"] = Answer(200, b'{"sub": "user-2", "sub": "user-1"}')
    with pytest.raises(UserinfoError) as refusal:
        manager.userinfo()
    assert refusal.value.code == "userinfo_invalid"


def test_an_expired_access_token_is_renewed_first(manager: AuthManager, fake: FakeProvider) -> None:
    manager.accept(TokenResponse("access-1", fake.id_token(nonce="n"), "refresh-1", 0.0, None), nonce="n")
    fake.answers["/token"] = Answer.json(fake.token_response())
    fake.answers["/userinfo"] = Answer.json({"sub": "user-1"})
    manager.userinfo()
    assert fake.requests[-1][2]["Authorization"] == "Bearer access-2"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.json({"sub": "user-2"}), "userinfo_subject_mismatch"),
        (Answer.json({"sub": "USER-1"}), "userinfo_subject_mismatch"),
        (Answer.json({"email": "ada@example.com"}), "userinfo_invalid"),
        (Answer.json({"sub": 1}), "userinfo_invalid"),
        (Answer.json(["user-1"]), "userinfo_invalid"),
        (Answer(200, b"eyJhbGciOiJub25lIn0.e30.", {"Content-Type": "application/jwt"}), "userinfo_invalid"),
        (Answer.json({"sub": "user-1", "pad": "x" * 300_000}), "userinfo_invalid"),
        (Answer.json({"error": "invalid_token"}, 401), "userinfo_refused"),
        (Answer.json({"error": "insufficient_scope"}, 403), "userinfo_refused"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "userinfo_failed"),
        (Answer(503), "userinfo_failed"),
    ],
)
def test_other_answers_are_not_used(
    manager: AuthManager, fake: FakeProvider, answer: Answer, code: str
) -> None:
    fake.answers["/userinfo"] = answer
    with pytest.raises(UserinfoError) as refusal:
        manager.userinfo()
    assert refusal.value.code == code
    assert "access-1" not in f"{refusal.value} {refusal.value!r}"
    assert manager.is_authenticated, "the tokens are as good as before"


def test_an_endpoint_that_is_gone(manager: AuthManager, fake: FakeProvider) -> None:
    fake.close()
    with pytest.raises(UserinfoError) as refusal:
        manager.userinfo()
    assert refusal.value.code == "userinfo_unreachable"


def test_a_provider_without_the_endpoint(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    manager.accept(TokenResponse("a", fake.id_token(nonce="n"), None, 3600.0, None), nonce="n")
    with pytest.raises(UserinfoError) as refusal:
        manager.userinfo()
    assert refusal.value.code == "userinfo_unsupported"


def test_signed_out(make_manager: Make) -> None:
    with pytest.raises(NoCredentialsError):
        make_manager().userinfo()


def test_the_endpoint_comes_from_discovery(fake: FakeProvider) -> None:
    metadata: dict[str, Any] = fake.metadata(userinfo_endpoint=fake.issuer + "/me")
    fake.answers["/.well-known/openid-configuration"] = Answer.json(metadata)
    assert Provider.discover(fake.issuer).userinfo_endpoint == fake.issuer + "/me"


def test_the_endpoint_must_be_secure(fake: FakeProvider) -> None:
    """A provider with a plain-http userinfo endpoint is refused (C51)."""
    with pytest.raises(ConfigurationError) as refusal:
        fake.provider(userinfo_endpoint="http://provider.example/userinfo")
    assert refusal.value.code == "endpoint_insecure"
