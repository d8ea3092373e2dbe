"""Box, as a stand-in: no ID token, a client secret, and single-use refresh tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import tokentoss
from servers.box_like import ADA, GRACE, ITEMS, REFRESH_TOKEN_LIFETIME, BoxLike
from servers.scripted_login import REDIRECT_URI
from tokentoss import (
    Account,
    AuthManager,
    ConfigurationError,
    FileStorage,
    MemoryStorage,
    ReauthRequiredError,
    TokenExchangeError,
    generate_pkce_pair,
)
from tokentoss.clients.errors import ServiceScopeMissingError
from tokentoss.session import session

from kernel import herd
from kernel.people import manager_at
from kernel.people import sign_in as sign_in_elsewhere

Make = Callable[..., AuthManager]


@pytest.fixture
def box() -> Iterator[BoxLike]:
    with BoxLike() as server:
        yield server


@pytest.fixture
def make(box: BoxLike) -> Make:
    def manager(**arguments: Any) -> AuthManager:
        named = {"client_config": box.client, "provider": box.provider(), "storage": MemoryStorage()}
        return AuthManager(**(named | arguments))

    return manager


def code_for(manager: AuthManager) -> tuple[str, str]:
    verifier, challenge = generate_pkce_pair()
    url = manager.get_authorization_url(challenge, REDIRECT_URI, state="state-1")
    answer = requests.get(url, allow_redirects=False, timeout=10)
    callback = {
        name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()
    }
    assert callback["state"] == "state-1"
    return callback["code"], verifier


def connect(manager: AuthManager) -> AuthManager:
    manager.exchange_code(*code_for(manager), REDIRECT_URI)
    return manager


def age(manager: AuthManager, seconds: float) -> AuthManager:
    """A new manager over the same storage, whose tokens are that much older."""
    tokens = manager.token_data
    expiry = tokens.expiry_datetime - timedelta(seconds=seconds)
    updated_at = (expiry - timedelta(hours=1)).isoformat()
    manager.storage.save(replace(tokens, expiry=expiry.isoformat(), updated_at=updated_at))
    return AuthManager(manager.client_config, provider=manager.provider, storage=manager.storage)


def test_connecting_keeps_tokens_and_identity(box, make, tmp_path):
    storage = FileStorage(tmp_path / "tokens.json")
    manager = make(storage=storage)
    assert not manager.is_connected
    connect(manager)
    assert manager.is_connected
    assert manager.is_authenticated
    account = manager.account
    assert (account.issuer, account.subject) == ("https://account.box.com", ADA.id)
    assert (account.login, account.name, account.email) == (ADA.login, ADA.name, ADA.login)
    assert account.key == f"https://account.box.com#{ADA.id}"
    assert account.connected_at is not None
    assert account.updated_at is not None
    stored = storage.load()
    assert stored == manager.token_data
    assert stored.id_token == ""
    assert make(storage=FileStorage(tmp_path / "tokens.json")).account == account


def test_the_requests_are_those_that_box_documents(box, make):
    manager = connect(make())
    authorize, token, identity = box.requests
    query = {name: values[0] for name, values in parse_qs(urlsplit(authorize.target).query).items()}
    assert set(query) == {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "state",
    }, "no nonce, because no ID token repeats it, and no scope, because the app has its own"
    form = {name: values[0] for name, values in parse_qs(token.body.decode()).items()}
    assert form["client_secret"] == box.client.client_secret
    assert form["grant_type"] == "authorization_code"
    assert identity.bearer == manager.access_token
    assert "Origin" not in token.headers


def test_a_spent_or_late_code(box, make):
    manager = make()
    code, verifier = code_for(manager)
    manager.exchange_code(code, verifier, REDIRECT_URI)
    with pytest.raises(TokenExchangeError) as refusal:
        manager.exchange_code(code, verifier, REDIRECT_URI)
    assert refusal.value.code == "invalid_grant"
    assert manager.is_connected, "what was connected stays"
    late, verifier = code_for(manager)
    box.advance(31)
    with pytest.raises(TokenExchangeError):
        manager.exchange_code(late, verifier, REDIRECT_URI)


def test_a_wrong_secret(box, make):
    manager = make(client_config=replace(box.client, client_secret="wrong"))
    with pytest.raises(TokenExchangeError) as refusal:
        connect(manager)
    assert refusal.value.code == "invalid_client"


def test_the_token_endpoint_answers_no_browser(box):
    answer = requests.post(
        box.provider().token_endpoint, data={}, headers={"Origin": "http://localhost:8888"}, timeout=10
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cors_origin_not_whitelisted")


def test_there_is_no_id_token(box, make):
    manager = connect(make())
    with pytest.raises(ConfigurationError) as refusal:
        _ = manager.id_token
    assert refusal.value.code == "provider_without_id_tokens"
    assert tokentoss.CREDENTIALS is None, "its readers want ID tokens"
    with pytest.raises(ConfigurationError):
        make(hosted_domain="corp.example")


def test_a_renewal_stores_the_new_pair_before_it_is_used(box, make, monkeypatch, tmp_path):
    storage = FileStorage(tmp_path / "tokens.json")
    manager = age(connect(make(storage=storage)), 3700)
    before = storage.load()
    stored_when_used = []
    original = session.Session.beside

    def recorded(tokens, before):
        stored_when_used.append((tokens.refresh_token, FileStorage(storage.path).load().refresh_token))
        return original(tokens, before)

    monkeypatch.setattr(session.Session, "beside", recorded)
    access_token = manager.access_token
    monkeypatch.undo()
    after = storage.load()
    assert access_token == after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    assert (after.refresh_token, after.refresh_token) in stored_when_used
    assert all(used == kept for used, kept in stored_when_used), "nobody sees a pair that is not stored"
    assert (after.connected_at, after.login) == (before.connected_at, ADA.login)
    assert after.updated_at > before.updated_at
    assert box.calls("/oauth2/token") == 2
    assert box.calls("/2.0/users/me") == 1, "who it is was asked once"


@pytest.mark.parametrize(("processes", "threads"), [(2, 1), (16, 4)])
def test_kernels_at_once_never_lose_the_session(box, make, tmp_path, processes, threads):
    """Processes that refresh at once use each single-use refresh token only once (C63)."""
    path = tmp_path / "tokens.json"
    age(connect(make(storage=FileStorage(path))), 3700)
    before = box.calls("/oauth2/token")
    rounds = ("use the access token", "refresh", "refresh")
    reports = herd.run_as(
        box.provider(), box.client, path, processes=processes, threads=threads, rounds=rounds
    )
    assert [report for report in reports if report.error] == []
    assert box.calls("/oauth2/token") - before == len(rounds)
    assert box.live_refresh_tokens() == 1
    newcomer = make(storage=FileStorage(path))
    newcomer.refresh_tokens()
    assert newcomer.is_connected


def test_two_managers_that_renew_in_turn(box, make, tmp_path):
    path = tmp_path / "tokens.json"
    one = connect(make(storage=FileStorage(path)))
    other = make(storage=FileStorage(path))
    for manager in (one, other, one, other):
        manager.refresh_tokens()
    assert box.live_refresh_tokens() == 1
    assert one.is_connected
    assert other.is_connected


def test_sixty_days_later(box, make):
    manager = connect(make())
    box.advance(REFRESH_TOKEN_LIFETIME)
    with pytest.raises(ReauthRequiredError) as refusal:
        manager.refresh_tokens()
    assert refusal.value.code == "grant_expired"
    assert not manager.is_connected
    connect(manager)
    assert manager.is_connected


def test_disconnecting_revokes(box, make):
    manager = connect(make())
    result = manager.sign_out(revoke=True)
    assert (result.removed, result.revoked, result.error) == (True, True, None)
    assert result.account.login == ADA.login
    assert box.live_refresh_tokens() == 0
    form = parse_qs(box.requests[-1].body.decode())
    assert set(form) >= {"client_id", "client_secret", "token"}
    assert not manager.is_connected


def test_several_users_side_by_side(box, make, tmp_path):
    """Two users are separate accounts, identified by issuer and id (C59)."""
    storage = FileStorage(tmp_path / "tokens.json")
    manager = connect(make(storage=storage))
    box.user = GRACE
    connect(manager)
    assert manager.previous_user == ADA.login
    assert [account.login for account in manager.accounts()] == [GRACE.login, ADA.login]
    assert manager.use_account(ADA.login.upper()) == Account.of(manager.token_data)
    assert manager.account.subject == ADA.id
    assert make(storage=storage, account=f"https://account.box.com#{GRACE.id}").account.name == GRACE.name


def test_connecting_again_keeps_since_when(box, make):
    manager = connect(make())
    first = manager.account
    connect(manager)
    assert manager.account.connected_at == first.connected_at
    assert len(manager.accounts()) == 1


def test_no_secret_is_shown(box, make, caplog):
    """Tokens and client secret appear in no repr and no log (C72)."""
    with caplog.at_level("DEBUG"):
        manager = connect(make())
        manager.refresh_tokens()
    tokens = manager.token_data
    shown = f"{manager!r} {tokens!r} {manager.account!r} {caplog.text}"
    for secret in (tokens.access_token, tokens.refresh_token, box.client.client_secret):
        assert secret not in shown


def test_beside_an_openid_provider(box, make, provider, tmp_path):
    """Box and an OpenID provider share one kernel and one file without mixing their tokens."""
    path: Path = tmp_path / "tokens.json"
    openid = sign_in_elsewhere(manager_at(provider, storage=FileStorage(path)))
    connected = connect(make(storage=FileStorage(path)))
    assert openid.account.issuer == provider.issuer
    assert openid.id_token
    assert len(FileStorage(path).load_all()) == 2
    connected.refresh_tokens()
    openid.refresh_tokens()
    assert tokentoss.CREDENTIALS.manager is openid
    again = manager_at(provider, storage=FileStorage(path))
    assert again.account == openid.account
    assert make(storage=FileStorage(path)).account == connected.account
    openid.sign_out()
    assert connected.is_connected


def test_the_listing_of_a_folder(box, make):
    """A client lists a folder, before and after its token has expired."""
    manager = connect(make())
    with tokentoss.APIClient(f"{box.origin()}/2.0", provider=box.provider()) as client:
        assert client.get_json("/folders/0/items")["entries"] == ITEMS
        box.advance(3700)
        assert client.get_json("/folders/0/items")["entries"] == ITEMS, "renewed after a 401"
        assert box.calls("/oauth2/token") == 2
        with pytest.raises(ServiceScopeMissingError):
            client.get_json("/folders/0/secret")
        manager.sign_out(revoke=True)
        with pytest.raises(tokentoss.NoCredentialsError):
            client.get("/folders/0/items")


def test_a_token_that_was_revoked_elsewhere(box, make):
    manager = connect(make())
    client = tokentoss.APIClient(f"{box.origin()}/2.0", auth_manager=manager)
    form = {
        "client_id": box.client.client_id,
        "client_secret": box.client.client_secret,
        "token": manager.token_data.refresh_token,
    }
    assert requests.post(box.provider().revocation_endpoint, data=form, timeout=10).status_code == 200
    assert client.get("/folders/0/items").status_code == 401
    assert not manager.is_connected
    assert isinstance(manager.last_error, ReauthRequiredError)
