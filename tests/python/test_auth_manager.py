from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from tokentoss import (
    GOOGLE,
    AuthManager,
    ClientConfig,
    ConfigurationError,
    FileStorage,
    IdTokenError,
    MemoryStorage,
    NoCredentialsError,
    StorageError,
    TokenData,
    TokenExchangeError,
    TokenRefreshError,
    TokenTossError,
    generate_pkce_pair,
)
from tokentoss.oauth.token_response import TokenResponse
from tokentoss.storage.token_data import iso_time

Make = Callable[..., AuthManager]


def stored(fake: FakeProvider, expires_in: float = 3600, **members: Any) -> TokenData:
    now = time.time()
    claims = members.pop("claims", {})
    named: dict[str, Any] = {
        "access_token": "access-1",
        "id_token": fake.id_token(
            **({"iat": int(now - 3600 + expires_in), "exp": int(now + expires_in)} | claims)
        ),
        "refresh_token": "refresh-1",
        "expiry": iso_time(now + expires_in),
        "scopes": ["openid"],
        "user_email": "ada@example.com",
        "created_at": iso_time(now),
    }
    return TokenData(**(named | members))


def signed_in(make_manager: Make, fake: FakeProvider, **arguments: Any) -> AuthManager:
    storage = arguments.pop("storage", None) or MemoryStorage()
    storage.save(stored(fake, **arguments))
    return make_manager(storage=storage)


def response(fake: FakeProvider, **members: Any) -> TokenResponse:
    named: dict[str, Any] = {
        "access_token": "access-1",
        "id_token": fake.id_token(nonce="n"),
        "refresh_token": "refresh-1",
        "expires_in": 3600.0,
        "scopes": None,
    }
    return TokenResponse(**(named | members))


def test_accepted_tokens_are_kept_stored_and_public(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    manager = make_manager(storage=storage)
    assert not manager.is_authenticated
    assert tokentoss.CREDENTIALS is None
    tokens = manager.accept(response(fake), nonce="n")
    assert manager.is_authenticated
    assert manager.user_email == "ada@example.com"
    assert manager.id_token == tokens.id_token
    assert storage.load() == tokens == manager.token_data
    assert (tokens.issuer, tokens.subject, tokens.client_id) == (fake.issuer, "user-1", CLIENT_ID)
    assert tokens.scopes == ["openid", "email", "profile"], "a missing scope is the requested one (C13)"
    credentials = manager.credentials
    assert credentials is not None
    assert tokentoss.CREDENTIALS is credentials
    assert (credentials.token, credentials.id_token, credentials.refresh_token) == (
        "access-1",
        tokens.id_token,
        "refresh-1",
    )
    assert credentials.valid
    assert not credentials.expired
    manager.clear()
    assert not storage.exists()
    assert (manager.id_token, manager.credentials, tokentoss.CREDENTIALS) == (None, None, None)
    assert not credentials.valid
    assert credentials.id_token is None


def test_narrower_scopes_are_reported(make_manager: Make, fake: FakeProvider) -> None:
    """The tokens' scopes are those that the token response grants (C13)."""
    tokens = make_manager().accept(response(fake, scopes=["openid"]), nonce="n")
    assert tokens.scopes == ["openid"]


@pytest.mark.parametrize("claims", [{"nonce": "other"}, {"iss": "https://x.example"}, {"aud": "x"}])
def test_refused_tokens_change_nothing(
    make_manager: Make, fake: FakeProvider, claims: dict[str, str]
) -> None:
    """Tokens that are refused are neither stored nor used (C7, C60)."""
    manager = make_manager()
    with pytest.raises(IdTokenError):
        manager.accept(response(fake, id_token=fake.id_token(**({"nonce": "n"} | claims))), nonce="n")
    assert not manager.is_authenticated
    assert manager.storage.load() is None
    assert tokentoss.CREDENTIALS is None


def test_the_pages_clock_does_not_matter(make_manager: Make, fake: FakeProvider) -> None:
    """The expiry does not depend on the clock of the page (C56)."""
    for received_at in (0.0, time.time() - 7200, time.time() + 7200):
        tokens = make_manager().accept(response(fake), nonce="n", received_at=received_at)
        assert abs(tokens.expiry_datetime.timestamp() - time.time() - 3600) < 30


def test_a_second_sign_in_keeps_the_refresh_token(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager()
    manager.accept(response(fake), nonce="n")
    again = manager.accept(response(fake, refresh_token=None), nonce="n")
    assert again.refresh_token == "refresh-1"
    other = response(fake, refresh_token=None, id_token=fake.id_token(nonce="n", sub="user-2"))
    assert manager.accept(other, nonce="n").refresh_token == "", "another user's is not this user's (C59)"


def test_consent_is_asked_for_only_without_a_refresh_token(fake: FakeProvider, make_manager: Make) -> None:
    provider = fake.provider(authorization_params={"a": "b"}, consent_params={"prompt": "consent"})
    manager = make_manager(provider=provider)
    assert manager.authorization_params() == {"a": "b", "prompt": "consent"}
    manager.accept(response(fake), nonce="n")
    assert manager.authorization_params() == {"a": "b"}


def test_stored_tokens_sign_in_at_once_without_the_network(make_manager: Make, fake: FakeProvider) -> None:
    for expires_in in (3600, -3600):
        manager = signed_in(make_manager, fake, expires_in=expires_in)
        assert manager.is_authenticated
        assert manager.credentials_as_they_are is not None
        assert tokentoss.CREDENTIALS is not None
    assert fake.requests == []


@pytest.mark.parametrize(
    "members",
    [
        {"claims": {"iss": "https://other.example"}},
        {"claims": {"aud": "other"}},
        {"client_id": "other"},
        {"token_endpoint": "https://other.example/token"},
    ],
)
def test_tokens_of_another_client_are_left_alone(
    make_manager: Make, fake: FakeProvider, members: dict[str, Any]
) -> None:
    """Stored tokens of another client are not used, sent or removed (C39, C51, C59)."""
    manager = signed_in(make_manager, fake, **members)
    assert not manager.is_authenticated
    assert manager.storage.load() is not None
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert fake.requests == []


def test_a_stale_session_is_over(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, created_at=iso_time(time.time() - 25 * 3600))
    assert not manager.is_authenticated
    assert isinstance(manager.last_error, NoCredentialsError)
    assert manager.last_error.code == "session_expired"
    assert not manager.storage.exists()


def test_a_longer_session_of_somebody_else_stays(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manager with a shorter limit does not remove a session that may last longer."""
    storage, now = FileStorage(), time.time()
    long = make_manager(storage=storage, max_session_lifetime_hours=168)
    long.accept(response(fake), nonce="n")
    monkeypatch.setattr(time, "time", lambda: now + 30 * 3600)
    short = make_manager(storage=storage)
    assert not short.is_authenticated
    assert isinstance(short.last_error, NoCredentialsError)
    assert short.last_error.code == "session_expired"
    assert long.is_authenticated
    assert storage.exists()
    assert make_manager(storage=storage, max_session_lifetime_hours=168).is_authenticated
    long.max_session_lifetime_hours = 29
    assert long.access_token is None
    assert storage.exists()
    monkeypatch.setattr(time, "time", lambda: now + 169 * 3600)
    assert not make_manager(storage=storage).is_authenticated
    assert not storage.exists()


@pytest.mark.parametrize("hours", [10.0**9, float("inf")])
def test_a_session_without_an_end(make_manager: Make, fake: FakeProvider, hours: float) -> None:
    storage = FileStorage()
    make_manager(storage=storage, max_session_lifetime_hours=hours).accept(response(fake), nonce="n")
    assert make_manager(storage=storage).is_authenticated


def test_expired_tokens_that_cannot_be_renewed(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10, refresh_token="")
    assert not manager.is_authenticated
    assert isinstance(manager.last_error, NoCredentialsError)


def test_a_corrupt_file_is_an_error_and_stays(make_manager: Make) -> None:
    storage = FileStorage()
    storage.path.parent.mkdir(parents=True)
    storage.path.write_text("{broken")
    storage.path.chmod(0o600)
    manager = make_manager(storage=storage)
    assert isinstance(manager.last_error, StorageError)
    assert storage.path.read_text() == "{broken"


def test_a_sign_in_that_cannot_be_stored_counts_all_the_same(
    make_manager: Make, fake: FakeProvider, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    manager = make_manager(storage=FileStorage(tmp_path / "file" / "tokens.json"))
    manager.accept(response(fake), nonce="n")
    assert manager.is_authenticated
    assert isinstance(manager.last_error, StorageError)


def test_refresh(make_manager: Make, fake: FakeProvider) -> None:
    """A refresh keeps the refresh token or ID token that the answer leaves out (C62)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response())
    tokens = manager.refresh_tokens()
    assert (tokens.access_token, tokens.refresh_token) == ("access-2", "refresh-1")
    assert manager.storage.load() == tokens
    assert fake.requests[0][3] == {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
    }
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2", id_token=None))
    again = manager.refresh_tokens()
    assert (again.refresh_token, again.id_token) == ("refresh-2", tokens.id_token)


def test_the_id_token_is_renewed_before_it_expires(make_manager: Make, fake: FakeProvider) -> None:
    fake.answers["/token"] = Answer.json(fake.token_response())
    for margin, calls in ((250, 0), (230, 1), (-10, 2)):
        manager = signed_in(make_manager, fake, expires_in=margin)
        assert manager.id_token
        assert fake.calls("/token") == calls


def test_the_id_tokens_own_expiry_counts(make_manager: Make, fake: FakeProvider) -> None:
    """An expired ID token is renewed even while the access token is valid."""
    old = int(time.time()) - 7200
    manager = signed_in(make_manager, fake, expires_in=3600, claims={"iat": old, "exp": old + 3600})
    fake.answers["/token"] = Answer.json(fake.token_response())
    before = manager.token_data
    assert before is not None
    assert manager.id_token != before.id_token


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(503, b"<html>"),
        Answer(429),
        Answer(200, b"<html>"),
        Answer.json({"error": "invalid_client"}, 401),
        Answer.json({"error": "server_error"}, 400),
        Answer(302, b"", {"Location": "/x"}),
    ],
)
def test_faults_keep_the_session(make_manager: Make, fake: FakeProvider, answer: Answer) -> None:
    """A fault of the provider does not end the session, and a valid token is still served (C64)."""
    manager = signed_in(make_manager, fake, expires_in=100)
    fake.answers["/token"] = answer
    before = manager.token_data
    assert before is not None
    for _ in range(5):
        assert manager.id_token == before.id_token
    assert fake.calls("/token") == 1, "it backs off"
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert manager.is_authenticated
    assert manager.token_data == before
    kept = manager.storage.load()
    assert kept is not None
    assert kept.refresh_token == "refresh-1"
    assert isinstance(manager.last_error, TokenRefreshError)


def test_an_expired_token_is_not_served(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    with pytest.raises(TokenRefreshError) as refusal:
        _ = manager.id_token
    assert refusal.value.code == "token_endpoint_failed"
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=None))
    manager._renewal._back_off.reset()
    with pytest.raises(TokenRefreshError) as missing:
        _ = manager.id_token
    assert missing.value.code == "id_token_missing"


def test_the_back_off_grows_and_ends(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The back-off grows to at most 60 seconds, and a refresh works once the provider is back (C64)."""
    clock = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    waits = []
    for _ in range(8):
        with pytest.raises(TokenRefreshError):
            manager.refresh_tokens()
        waits.append(manager._renewal._back_off._not_before - clock[0])
        clock[0] = manager._renewal._back_off._not_before + 0.001
    assert fake.calls("/token") == 8
    assert waits[0] <= 2 < waits[-1] <= 60
    fake.answers["/token"] = Answer.json(fake.token_response())
    assert manager.refresh_tokens().access_token == "access-2"


def test_invalid_grant_ends_the_session(make_manager: Make, fake: FakeProvider) -> None:
    """invalid_grant ends the session, and no further refresh is requested (C64, C65)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    changes: list[bool] = []

    class Watcher:
        def changed(self) -> None:
            changes.append(manager.is_authenticated)

    watcher = Watcher()
    manager.observe_session(watcher.changed)
    with pytest.raises(TokenRefreshError) as refusal:
        _ = manager.id_token
    assert refusal.value.code == "invalid_grant"
    assert changes == [False]
    assert not manager.is_authenticated
    assert not manager.storage.exists()
    assert tokentoss.CREDENTIALS is None
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert fake.calls("/token") == 1


def test_another_process_that_won_is_followed(make_manager: Make, fake: FakeProvider) -> None:
    """Tokens that another process renewed are read before a request and after a refusal (C63)."""
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    winner = stored(
        fake,
        access_token="won",
        refresh_token="refresh-2",
        issuer=fake.issuer,
        subject="user-1",
        client_id=CLIENT_ID,
    )
    FileStorage().save(winner)
    assert manager.refresh_tokens().access_token == "won"
    assert fake.calls("/token") == 0

    late = signed_in(make_manager, fake, expires_in=-10, storage=storage)

    def lose(_form: dict[str, str]) -> Answer:
        FileStorage().save(winner)
        return Answer.json({"error": "invalid_grant"}, 400)

    fake.answers["/token"] = lose
    assert late.refresh_tokens().refresh_token == "refresh-2"
    assert late.is_authenticated


def test_invalid_grant_leaves_other_tokens_in_the_file(make_manager: Make, fake: FakeProvider) -> None:
    storage = FileStorage()
    manager = signed_in(make_manager, fake, expires_in=-10, storage=storage)
    other = stored(fake, claims={"sub": "user-2"}, refresh_token="of-somebody-else")

    def lose(_form: dict[str, str]) -> Answer:
        FileStorage().save(other)
        return Answer.json({"error": "invalid_grant"}, 400)

    fake.answers["/token"] = lose
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    kept = storage.load()
    assert kept is not None
    assert kept.refresh_token == "of-somebody-else"


def test_many_threads_refresh_once(make_manager: Make, fake: FakeProvider) -> None:
    """Sixteen threads cause one refresh, and all get the same token (C63)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    arrived = threading.Barrier(17)
    answer = Answer.json(fake.token_response())
    fake.answers["/token"] = answer
    results: list[str | None] = []

    def call() -> None:
        arrived.wait()
        results.append(manager.id_token)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    arrived.wait()
    for thread in threads:
        thread.join()
    assert fake.calls("/token") == 1
    assert results == [manager.id_token] * 16


def test_signing_out_during_a_refresh_stays_signed_out(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    answer = Answer.json(fake.token_response())
    answer.before = manager.clear
    fake.answers["/token"] = answer
    with pytest.raises(TokenRefreshError):
        manager.refresh_tokens()
    assert not manager.is_authenticated
    assert not manager.storage.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "user-2"},
        {"iss": "https://x.example"},
        {"aud": "x"},
        {"nonce": "other"},
        {"iat": 1_500_000_000},
    ],
)
def test_a_refreshed_id_token_must_be_of_the_same_sign_in(
    make_manager: Make, fake: FakeProvider, claims: dict[str, Any]
) -> None:
    """A refreshed ID token with another iss, sub, aud or nonce, or an old iat, is refused (C61, R2, R3)."""
    manager = signed_in(make_manager, fake, expires_in=-10, claims={"nonce": "n"})
    before = manager.token_data
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(**claims)))
    with pytest.raises(TokenRefreshError) as refusal:
        manager.refresh_tokens()
    assert refusal.value.code.startswith("id_token_")
    assert manager.token_data == before


def test_the_token_endpoint_is_pinned(make_manager: Make, fake: FakeProvider) -> None:
    """Stored tokens are not sent to a changed token endpoint (C51)."""
    storage = MemoryStorage()
    make_manager(storage=storage).accept(response(fake), nonce="n")
    moved = make_manager(storage=storage, provider=fake.provider(token_endpoint=fake.issuer + "/moved"))
    assert not moved.is_authenticated
    assert fake.calls("/moved") == 0


def test_a_signature_is_checked_at_the_first_chance(
    make_manager: Make, fake: FakeProvider, other_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    fake.answers["/keys"] = Answer(503)
    honest, forged = make_manager(), make_manager()
    honest.accept(response(fake), nonce="n")
    forged.accept(response(fake, id_token=other_key.sign(fake.claims(nonce="n"), kid="key-1")), nonce="n")
    for manager in (honest, forged):
        assert manager.token_data is not None
        assert not manager.token_data.signature_checked
        assert manager.id_token, "the sign-in counts until the keys can be fetched"
    calls = fake.calls("/keys")
    assert honest.id_token
    assert fake.calls("/keys") == calls, "it is not tried on every use"
    del fake.answers["/keys"]
    clock[0] += 61
    assert honest.id_token
    assert honest.token_data is not None
    assert honest.token_data.signature_checked
    with pytest.raises(IdTokenError) as refusal:
        _ = forged.id_token
    assert refusal.value.code == "id_token_signature_invalid"
    assert not forged.is_authenticated
    assert not forged.storage.exists()


def test_a_code_by_hand(make_manager: Make, fake: FakeProvider) -> None:
    """A code is requested and exchanged by the functions of version 0.1.1 (C1, C2, C7, C9, C12)."""
    manager = make_manager(provider=fake.provider(authorization_endpoint=fake.issuer + "/auth?tenant=1"))
    verifier, challenge = generate_pkce_pair()
    url = manager.get_authorization_url(challenge, "http://localhost", state="s-1")
    query = parse_qs(urlsplit(url).query)
    assert {name: values for name, values in query.items() if name != "nonce"} == {
        "tenant": ["1"],
        "client_id": [CLIENT_ID],
        "redirect_uri": ["http://localhost"],
        "response_type": ["code"],
        "scope": ["openid email profile"],
        "state": ["s-1"],
        "code_challenge": [challenge],
        "code_challenge_method": ["S256"],
    }
    nonce = query["nonce"][0]
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token(nonce=nonce)))
    assert manager.exchange_code("code-1", verifier).user_email == "ada@example.com"
    assert fake.requests[0][3] == {
        "client_id": CLIENT_ID,
        "client_secret": "secret-1",
        "grant_type": "authorization_code",
        "code": "code-1",
        "code_verifier": verifier,
        "redirect_uri": "http://localhost",
    }
    with pytest.raises(TokenExchangeError) as refusal:
        manager.exchange_code("code-1", generate_pkce_pair()[0])
    assert refusal.value.code == "id_token_nonce_mismatch"
    assert manager.last_error is refusal.value


def test_a_code_is_sent_once(make_manager: Make, fake: FakeProvider) -> None:
    """A code is not sent again after the token endpoint fails (C43)."""
    fake.answers["/token"] = Answer(500)
    with pytest.raises(TokenExchangeError):
        make_manager().exchange_code("code-1", generate_pkce_pair()[0])
    assert fake.calls("/token") == 1


def test_a_public_client_sends_no_secret(make_manager: Make, fake: FakeProvider) -> None:
    manager = make_manager(client_config=ClientConfig(CLIENT_ID))
    with pytest.raises(TokenExchangeError):
        manager.exchange_code("code-1", generate_pkce_pair()[0])
    assert "client_secret" not in fake.requests[0][3]


def test_the_scopes_need_openid(make_manager: Make) -> None:
    """A manager whose scopes lack openid is refused (C8)."""
    with pytest.raises(ConfigurationError) as refusal:
        make_manager(scopes=["email"])
    assert refusal.value.code == "scope_openid_missing"


def test_google_is_the_default_provider() -> None:
    manager = AuthManager(ClientConfig("id", "s"), storage=MemoryStorage())
    assert manager.provider is GOOGLE
    assert manager.scopes == tokentoss.DEFAULT_SCOPES
    with pytest.raises(ConfigurationError, match="of no built-in provider"):
        AuthManager(ClientConfig("id", "s", token_uri="https://x.example/token"), storage=MemoryStorage())


def test_all_failures_are_of_one_family(make_manager: Make, fake: FakeProvider) -> None:
    for failure in (TokenExchangeError, TokenRefreshError, IdTokenError, StorageError, NoCredentialsError):
        assert issubclass(failure, TokenTossError)
