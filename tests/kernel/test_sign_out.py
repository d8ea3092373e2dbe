"""A sign-out always removes the tokens here, and revokes them on request (C67, C68)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from e2e.waiting import until
from servers.scripted_login import token_request
from tokentoss import FileStorage, IAPClient, NoCredentialsError

from kernel import herd
from kernel.people import ADA, GRACE, manager_at, refreshes, sign_in, sign_in_aged


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens.json"


def is_alive(provider, refresh_token):
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return token_request(provider, provider.public, form).status_code == 200


@pytest.mark.parametrize("revoke", [False, True])
def test_the_provider_is_asked_only_if_the_user_wants_it(provider, path, revoke):
    manager = sign_in(manager_at(provider, storage=FileStorage(path)))
    token = manager.token_data.refresh_token
    result = manager.sign_out(revoke=revoke) if revoke else manager.sign_out()
    assert (result.account.email, result.removed, result.error) == (ADA, True, None)
    assert result.revoked is (True if revoke else None)
    assert len(provider.requests("/token/revocation", "POST")) == int(revoke)
    assert is_alive(provider, token) is not revoke
    assert not path.exists()
    assert not manager.is_authenticated


@pytest.mark.parametrize("fault", ["gone", "busy"])
def test_a_provider_that_cannot_revoke_does_not_keep_anybody_signed_in(provider, path, monkeypatch, fault):
    manager = sign_in(manager_at(provider, storage=FileStorage(path)))
    if fault == "busy":
        provider.change(
            answers={"/token/revocation": {"status": 503, "content_type": "text/html", "body": ""}}
        )
    else:
        manager.provider = replace(manager.provider, revocation_endpoint="http://127.0.0.1:9/revoke")
    result = manager.sign_out(revoke=True)
    assert (result.removed, result.revoked) == (True, False)
    assert result.error.code == {"gone": "revocation_unreachable", "busy": "revocation_failed"}[fault]
    assert not path.exists()
    assert not manager.is_authenticated


def test_everybody_in_the_process_notices(provider, path):
    first = sign_in(manager_at(provider, storage=FileStorage(path)))
    second = manager_at(provider, storage=FileStorage(path))
    client = IAPClient("http://127.0.0.1:9", auth_manager=second)
    credentials = second.credentials
    first.sign_out()
    assert not second.is_authenticated
    assert credentials.token is None
    with pytest.raises(NoCredentialsError):
        client.get("/a")


def test_a_refresh_of_another_process_does_not_bring_the_tokens_back(provider, path):
    """A refresh answered after a sign-out is discarded."""
    manager = sign_in_aged(provider, path)
    provider.change(token_hold=True)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(herd.run, provider, path, processes=1)
        try:
            until(lambda: refreshes(provider) == 1, "the other process's token request")
            manager.sign_out()
        finally:
            provider.change(token_hold=False)
        (report,) = other.result()
    assert report.error.startswith("ReauthRequiredError")
    assert report.id_token == herd.short_hash(None)
    assert not path.exists()


def test_a_sign_in_during_a_refresh_wins(provider, path):
    """The tokens of a sign-in are kept, even if a refresh is answered later."""
    manager = sign_in_aged(provider, path)
    provider.change(token_hold=True)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(herd.run, provider, path, processes=1)
        try:
            until(lambda: refreshes(provider) == 1, "the other process's token request")
            # The sign-in's own token request waits as well, if it comes before the switch.
            signing_in = pool.submit(sign_in, manager)
            until(lambda: refreshes(provider) == 2, "the sign-in's token request")
        finally:
            provider.change(token_hold=False)
        signing_in.result()
        (report,) = other.result()
    stored = FileStorage(path).load()
    assert report.error == ""
    assert stored.refresh_token == manager.token_data.refresh_token
    manager_at(provider, storage=FileStorage(path)).refresh_tokens()


def test_signing_one_account_out_leaves_the_other(provider, path):
    """Signing one of two stored users out leaves the other signed in (C59)."""
    manager = sign_in(manager_at(provider, storage=FileStorage(path)))
    sign_in(manager, GRACE)
    assert {account.email for account in manager.accounts()} == {ADA, GRACE}
    manager.sign_out()
    (left,) = manager.accounts()
    assert left.email == ADA
    ada = manager_at(provider, storage=FileStorage(path), account=ADA)
    assert ada.id_token
    ada.refresh_tokens()
    assert ada.user_email == ADA


def test_two_accounts_renew_side_by_side(provider, path):
    """Renewals of two accounts do not overwrite each other's tokens."""
    for login in (ADA, GRACE):
        sign_in(manager_at(provider, storage=FileStorage(path)), login)
    provider.forget_requests()
    managers = [manager_at(provider, storage=FileStorage(path), account=login) for login in (ADA, GRACE)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda manager: manager.refresh_tokens(), managers * 8))
    assert refreshes(provider) >= 2
    for login in (ADA, GRACE):
        newcomer = manager_at(provider, storage=FileStorage(path), account=login)
        assert newcomer.refresh_tokens().user_email == login
