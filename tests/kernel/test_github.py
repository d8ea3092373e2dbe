"""GitHub, as a stand-in: no ID token, refusals with status 200, scopes separated by commas."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from servers.github_like import TOKEN, USER, GitHubLike
from servers.scripted_login import REDIRECT_URI
from tokentoss import (
    AuthManager,
    MemoryStorage,
    ReauthRequiredError,
    TokenExchangeError,
    generate_pkce_pair,
)
from tokentoss.exceptions import TokenTossError


@pytest.fixture
def github():
    with GitHubLike() as server:
        yield server


@pytest.fixture
def expiring():
    """An app whose tokens expire."""
    with GitHubLike(tokens_expire=True) as server:
        yield server


def manager_at(github, **arguments):
    named = {"client_config": github.client, "provider": github.provider(), "storage": MemoryStorage()}
    return AuthManager(**(named | arguments))


def code_for(manager):
    verifier, challenge = generate_pkce_pair()
    url = manager.get_authorization_url(challenge, REDIRECT_URI, state="state-1")
    answer = requests.get(url, allow_redirects=False, timeout=10)
    callback = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert callback["state"] == ["state-1"]
    return callback["code"][0], verifier


def sign_in(manager):
    manager.exchange_code(*code_for(manager), REDIRECT_URI)
    return manager


def test_signs_in(github):
    """A sign-in asks the user endpoint who signed in, and keys the account by its number."""
    manager = sign_in(manager_at(github, scopes=["read:user", "gist"]))
    account = manager.account
    assert (account.login, account.name, account.email) == (USER["login"], USER["name"], None)
    assert account.key == "https://github.com#583231"
    assert manager.granted_scopes == ["read:user", "gist"]
    assert manager.missing_scopes == []
    assert manager.token_data.id_token == ""
    (form,) = github.forms(TOKEN)
    assert form["client_secret"] == github.client.client_secret
    assert {"code", "code_verifier", "redirect_uri"} <= form.keys()


def test_json_is_asked_for(github):
    """The token request asks for JSON, because GitHub answers with a form by default."""
    sign_in(manager_at(github))
    asked = [request for request in github.requests if request.path == TOKEN]
    assert [request.headers["Accept"] for request in asked] == ["application/json"]
    answer = requests.post(github.provider().token_endpoint, timeout=10)
    assert answer.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert answer.text.startswith("error=incorrect_client_credentials&")


def test_no_page_can_read_it(github):
    headers = {"Origin": "http://localhost:8888"}
    answer = requests.post(github.provider().token_endpoint, headers=headers, timeout=10)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert github.provider().token_endpoint_cors is False


def test_a_spent_code(github):
    """A spent code is refused with invalid_grant, although the status is 200."""
    manager = manager_at(github)
    code, verifier = code_for(manager)
    manager.exchange_code(code, verifier, REDIRECT_URI)
    with pytest.raises(TokenExchangeError) as refusal:
        manager.exchange_code(code, verifier, REDIRECT_URI)
    assert refusal.value.code == "invalid_grant"
    assert manager.is_connected, "what was connected stays"


def test_another_verifier(github):
    manager = manager_at(github)
    code, _ = code_for(manager)
    with pytest.raises(TokenExchangeError) as refusal:
        manager.exchange_code(code, generate_pkce_pair()[0], REDIRECT_URI)
    assert refusal.value.code == "invalid_grant"


def test_a_wrong_secret(github):
    manager = manager_at(github, client_config=replace(github.client, client_secret="wrong"))
    with pytest.raises(TokenExchangeError) as refusal:
        sign_in(manager)
    assert refusal.value.code == "invalid_client"


def test_a_refusal_that_is_a_form(github):
    """A form-encoded refusal gives token_response_not_json."""
    manager = manager_at(github)
    code, verifier = code_for(manager)
    answer = github.answer

    def without_accept(request):
        del request.headers["Accept"]
        return answer(request)

    github.answer = without_accept
    with pytest.raises(TokenExchangeError) as refusal:
        manager.exchange_code(code, verifier, REDIRECT_URI)
    assert refusal.value.code == "token_response_not_json"
    assert code not in str(refusal.value)


def test_tokens_of_an_oauth_app_are_not_renewed(github):
    manager = sign_in(manager_at(github))
    assert manager.token_data.refresh_token in {None, ""}
    assert manager.access_token
    assert len(github.forms(TOKEN)) == 1


def test_tokens_that_expire_are_renewed(expiring):
    manager = sign_in(manager_at(expiring))
    first = manager.token_data
    manager.refresh_tokens()
    assert manager.access_token != first.access_token
    assert manager.token_data.refresh_token != first.refresh_token
    assert manager.account.login == USER["login"]


def test_a_refresh_token_that_is_spent(expiring):
    """GitHub's error for a spent refresh token ends the session as invalid_grant."""
    manager = sign_in(manager_at(expiring))
    spent = {"grant_type": "refresh_token", "refresh_token": manager.token_data.refresh_token}
    client = {"client_id": expiring.client.client_id, "client_secret": expiring.client.client_secret}
    requests.post(expiring.provider().token_endpoint, data=spent | client, timeout=10)
    with pytest.raises(ReauthRequiredError) as ended:
        manager.refresh_tokens()
    assert ended.value.code == "invalid_grant"


def test_a_code_on_another_device(github):
    """A pending code, answered with status 200, is polled until it is entered."""
    manager = manager_at(github)
    sign_in_by_code = manager.sign_in_by_code()
    assert sign_in_by_code.authorization.user_code == "WDJB-MJHT"
    github.pending = 1
    sign_in_by_code.finish()
    assert manager.account.login == USER["login"]
    assert len(github.forms(TOKEN)) == 2


def test_there_is_nothing_to_revoke_at(github):
    result = sign_in(manager_at(github)).sign_out(revoke=True)
    assert isinstance(result.error, TokenTossError)
    assert result.error.code == "revocation_unsupported"
