"""The credentials that Google's libraries take."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import google.auth.credentials
import google.oauth2.credentials
import pytest
import tokentoss
from fake_provider import CLIENT_ID, Answer, FakeProvider, SigningKey
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from test_accounts import of
from test_auth_manager import response, signed_in, stored
from tokentoss import (
    AuthManager,
    ClientConfig,
    FileStorage,
    MemoryStorage,
    ReauthRequiredError,
    TokenRefreshError,
)
from tokentoss.session.google_credentials import Credentials
from tokentoss.storage.token_data import iso_time

Make = Callable[..., AuthManager]
PACKAGE = Path(__file__).parent.parent.parent / "python"


def credentials_of(manager: AuthManager) -> Credentials:
    credentials = manager.credentials_as_they_are
    assert credentials is not None
    return credentials


def test_they_are_real_ones(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, scopes=["openid", "email"])
    credentials = credentials_of(manager)
    assert isinstance(credentials, google.oauth2.credentials.Credentials)
    assert credentials is manager.credentials is tokentoss.CREDENTIALS
    assert (credentials.token, credentials.refresh_token, credentials.id_token) == (
        "access-1",
        "refresh-1",
        manager.id_token,
    )
    assert (credentials.client_id, credentials.client_secret) == (CLIENT_ID, "secret-1")
    assert credentials.token_uri == fake.issuer + "/token"
    assert credentials.account == "ada@example.com"
    assert credentials.valid
    assert not credentials.expired
    assert credentials.scopes == credentials.granted_scopes == ["openid", "email"]
    assert credentials.has_scopes(["email"])
    assert not credentials.has_scopes(["https://www.googleapis.com/auth/drive"])
    assert credentials.requires_scopes is False
    expiry = credentials.expiry
    assert expiry is not None
    assert expiry.tzinfo is None, "as google-auth has it"
    soon = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1)
    assert abs((expiry - soon).total_seconds()) < 30
    manager.clear()
    assert (credentials.token, credentials.expiry, credentials.id_token, credentials.valid) == (
        None,
        None,
        None,
        False,
    )


def test_importing_the_manager_does_not_import_google() -> None:
    modules = "tokentoss.clients.iap, tokentoss.session.auth_manager, sys"
    code = f"import {modules}; print('google.auth' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(PACKAGE)}, capture_output=True, check=True
    )
    assert done.stdout == b"False\n"


def test_they_are_renewed_when_they_are_asked_for(make_manager: Make, fake: FakeProvider) -> None:
    """manager.credentials renews an expired token; tokentoss.CREDENTIALS does not."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer(503)
    credentials = manager.credentials
    assert credentials is not None
    assert (credentials.token, credentials.valid) == ("access-1", False)
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager._renewal.reset()
    assert tokentoss.CREDENTIALS is credentials
    assert credentials.token == "access-1", "the public name asks nobody"
    assert manager.credentials is credentials
    assert credentials.token == "access-2"
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    ended = signed_in(make_manager, fake, expires_in=-10)
    with pytest.raises(ReauthRequiredError) as why:
        _ = ended.credentials
    assert why.value.code == "invalid_grant", "None would have Google's libraries call as somebody else"
    assert ended.credentials is None, "now it is known"


def test_an_authorized_session(make_manager: Make, fake: FakeProvider, signing_key: SigningKey) -> None:
    """An AuthorizedSession works with a valid, an expired and a refused token."""
    service = FakeProvider(signing_key)
    manager = signed_in(make_manager, fake)
    fake.answers["/token"] = Answer.json(fake.token_response(access_token="access-2"))
    service.answers["/api"] = Answer.json({})
    with AuthorizedSession(credentials_of(manager)) as session:
        assert session.get(service.issuer + "/api").status_code == 200
        assert service.requests[-1][2]["authorization"] == "Bearer access-1"
        service.answers["/api"] = lambda _form: Answer(
            200 if service.requests[-1][2]["authorization"].endswith("access-2") else 401
        )
        assert session.get(service.issuer + "/api").status_code == 200
    assert fake.calls("/token") == 1
    expired = signed_in(make_manager, fake, expires_in=-10)
    with AuthorizedSession(credentials_of(expired)) as session:
        assert session.get(service.issuer + "/api").status_code == 200
    assert fake.calls("/token") == 2
    service.close()


def test_many_threads_make_one_request(make_manager: Make, fake: FakeProvider) -> None:
    """50 threads with the credentials cause one token request (C63)."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    credentials = credentials_of(manager)
    fake.answers["/token"] = Answer.json(fake.token_response(refresh_token="refresh-2"))
    start = threading.Barrier(50)
    headers: list[dict[str, str]] = []

    def call() -> None:
        mine: dict[str, str] = {}
        start.wait()
        credentials.before_request(Request(), "GET", "https://storage.example/", mine)
        headers.append(mine)

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.calls("/token") == 1
    assert [one["authorization"] for one in headers] == ["Bearer access-2"] * 50


def test_a_refused_token_is_renewed_once_for_all(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake)
    credentials = credentials_of(manager)
    fake.answers["/token"] = Answer.json(fake.token_response())
    for _ in range(5):
        credentials.refresh(Request())
    assert fake.calls("/token") == 1
    assert credentials.token == "access-2"


def test_a_token_that_is_still_valid_is_served(make_manager: Make, fake: FakeProvider) -> None:
    """Within google-auth's early refresh window, a failed renewal serves the valid token (C64)."""
    manager = signed_in(make_manager, fake, expires_in=200)
    credentials = credentials_of(manager)
    assert credentials.expired
    fake.answers["/token"] = Answer(503)
    headers: dict[str, str] = {}
    credentials.before_request(Request(), "GET", "https://storage.example/", headers)
    assert headers["authorization"] == "Bearer access-1"


def test_failures_are_of_both_families(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake, expires_in=-10)
    credentials = credentials_of(manager)
    fake.answers["/token"] = Answer(503)
    with pytest.raises(RefreshError) as passing:
        credentials.refresh(Request())
    assert isinstance(passing.value, TokenRefreshError)
    assert (passing.value.code, passing.value.retryable) == ("token_endpoint_failed", True)
    assert "503" in str(passing.value)
    fake.answers["/token"] = Answer.json({"error": "invalid_grant"}, 400)
    manager._renewal.reset()
    with pytest.raises(RefreshError) as ended:
        credentials.refresh(Request())
    assert (ended.value.code, ended.value.retryable) == ("invalid_grant", False)  # type: ignore[attr-defined]
    with pytest.raises(RefreshError):
        credentials.refresh(Request())
    with pytest.raises(RefreshError, match="sign"):
        credentials.refresh_handler(Request(), scopes=None)


def test_the_handler_serves_credentials_of_others(make_manager: Make, fake: FakeProvider) -> None:
    """The refresh handler renews a token that google-auth considers expired."""
    manager = signed_in(make_manager, fake, expires_in=230, created_at=iso_time(time.time() - 3370))
    fake.answers["/token"] = Answer.json(fake.token_response())
    others = google.oauth2.credentials.Credentials(
        None, refresh_handler=credentials_of(manager).refresh_handler
    )
    others.refresh(Request())
    assert (others.token, others.expiry) == ("access-2", credentials_of(manager).expiry)
    assert others.valid
    assert fake.calls("/token") == 1


def test_nobody_else_changes_them(make_manager: Make, fake: FakeProvider) -> None:
    credentials = credentials_of(signed_in(make_manager, fake))
    with pytest.raises(AttributeError):
        credentials.token = "mine"
    with pytest.raises(AttributeError):
        credentials.expiry = datetime.now(timezone.utc)
    with pytest.raises(AttributeError):
        credentials.refresh_handler = print
    with pytest.raises(ValueError, match="pinned"):
        credentials.with_token_uri("https://evil.example/token")


def test_copies_stay_current(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake)
    credentials = credentials_of(manager)
    scoped = google.auth.credentials.with_scopes_if_required(credentials, ["x"])
    copies = [
        credentials.with_quota_project("project-1"),
        credentials.with_account("somebody"),
        copy.copy(credentials),
        copy.deepcopy(credentials),
        scoped,
    ]
    assert copies[0].quota_project_id == "project-1"
    fake.answers["/token"] = Answer.json(fake.token_response())
    manager.refresh_tokens()
    assert [one.token for one in copies] == ["access-2"] * 5


def test_a_pickle_holds_no_secret_and_works_elsewhere(
    make_manager: Make, fake: FakeProvider, tmp_path: Path
) -> None:
    """Pickled credentials hold no secret, and renew in another process."""
    secrets = tmp_path / "client_secrets.json"
    secrets.write_text(
        f'{{"installed": {{"client_id": "{CLIENT_ID}", "client_secret": "secret-1",'
        f' "auth_uri": "{fake.issuer}/auth", "token_uri": "{fake.issuer}/token"}}}}'
    )
    storage = FileStorage(tmp_path / "tokens.json")
    for user in ("user-1", "user-2"):
        storage.save(of(fake, user, expires_in=-10))
    manager = make_manager(
        storage=storage, client_config=ClientConfig.from_file(secrets), account="user-1@example.com"
    )
    tokens = manager.token_data
    assert tokens is not None
    pickled = pickle.dumps(credentials_of(manager).with_quota_project("project-1"))
    for secret in (tokens.access_token, tokens.id_token, tokens.refresh_token, "secret-1"):
        assert secret.encode() not in pickled
    fake.answers["/token"] = Answer.json(
        fake.token_response(refresh_token="rotated", id_token=fake.id_token(email="user-1@example.com"))
    )
    code = (
        "import pickle, sys; one = pickle.load(sys.stdin.buffer); one.refresh(None);"
        "import tokentoss; print(one.token, one.account, one.quota_project_id, tokentoss.CREDENTIALS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(PACKAGE)},
        input=pickled,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"access-2 user-1@example.com project-1 None\n"
    assert [form["client_secret"] for _, _, _, form in fake.requests if form] == ["secret-1"]
    assert manager.id_token
    assert fake.calls("/token") == 1, "this process follows"
    here = pickle.loads(pickled)
    assert here.token == "access-2"
    assert tokentoss.CREDENTIALS is manager.credentials


def test_a_pickle_needs_a_place_that_others_can_read(make_manager: Make, fake: FakeProvider) -> None:
    with pytest.raises(TypeError, match="FileStorage"):
        pickle.dumps(credentials_of(signed_in(make_manager, fake, storage=MemoryStorage())))


def test_an_unpickled_one_without_its_client_uses_what_is_valid(
    make_manager: Make, fake: FakeProvider
) -> None:
    storage = FileStorage()
    storage.save(stored(fake))
    one = pickle.loads(pickle.dumps(credentials_of(make_manager(storage=storage))))
    assert (one.token, one.valid, one.client_secret) == ("access-1", True, "")


def test_nothing_of_it_shows_a_secret(make_manager: Make, fake: FakeProvider) -> None:
    """The credentials' repr, str and vars hold no secret (C72)."""
    manager = signed_in(make_manager, fake)
    credentials = credentials_of(manager)
    tokens = manager.token_data
    assert tokens is not None
    for text in (repr(credentials), str(credentials), repr(vars(credentials)), repr([credentials])):
        for secret in (tokens.access_token, tokens.id_token, tokens.refresh_token, "secret-1"):
            assert secret not in text


def test_the_public_name_can_be_set_by_hand(make_manager: Make, fake: FakeProvider) -> None:
    manager = signed_in(make_manager, fake)
    mine = google.oauth2.credentials.Credentials("mine")
    tokentoss.CREDENTIALS = mine  # type: ignore[assignment]
    assert tokentoss.CREDENTIALS is mine
    manager.clear()
    assert tokentoss.CREDENTIALS is mine, "those of others stay"
    manager.accept(response(fake), nonce="n")
    assert tokentoss.CREDENTIALS is manager.credentials, "the latest sign-in wins"
    del tokentoss.CREDENTIALS
    assert tokentoss.CREDENTIALS is None
    tokentoss.CREDENTIALS = manager.credentials
    manager.clear()
    assert tokentoss.CREDENTIALS is None
