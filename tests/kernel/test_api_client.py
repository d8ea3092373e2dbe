"""APIClient at a real provider's userinfo endpoint, with rotating refresh tokens."""

from __future__ import annotations

import pytest
from servers.iap_api import IapLikeApi
from tokentoss import APIClient, AuthManager, FileStorage, IAPClient, MemoryStorage, ReauthRequiredError

from kernel import herd
from kernel.people import ADA, EXPIRED, GRACE, config_of, manager_at, refreshes, sign_in, sign_in_aged


def userinfo_client(provider, **arguments):
    manager = arguments.get("auth_manager")
    return APIClient(
        provider.issuer, provider=None if manager else manager_at(provider).provider, **arguments
    )


def test_who_the_access_token_is_of(provider):
    manager = sign_in(manager_at(provider, storage=MemoryStorage()))
    assert userinfo_client(provider, auth_manager=manager).get_json("/me")["email"] == ADA


@pytest.mark.parametrize("rotate", [True, False], ids=["one-use", "none"])
def test_an_expired_token_is_renewed(provider, tmp_path, rotate):
    provider.change(rotate=rotate)
    manager = sign_in_aged(provider, tmp_path / "tokens.json", EXPIRED)
    before = manager.token_data.refresh_token
    client = userinfo_client(provider, auth_manager=manager)
    for _ in range(2):
        assert client.get_json("/me")["email"] == ADA
    assert refreshes(provider) == 1
    assert (manager.token_data.refresh_token != before) is rotate


def test_processes_at_once_never_lose_the_session(provider, tmp_path):
    """Processes that refresh at once use no refresh token twice (C63)."""
    path = tmp_path / "tokens.json"
    sign_in_aged(provider, path, EXPIRED)
    reports = herd.run(provider, path, processes=8, threads=4, rounds=("use the access token", "refresh"))
    assert [report for report in reports if report.error] == []
    assert refreshes(provider) == 2
    newcomer = manager_at(provider, storage=FileStorage(path))
    assert userinfo_client(provider, auth_manager=newcomer).get_json("/me")["email"] == ADA


def test_a_refresh_token_that_was_used_elsewhere_ends_the_session(provider, tmp_path):
    """A refresh token that a copy has used ends the session."""
    manager = sign_in_aged(provider, tmp_path / "tokens.json", EXPIRED)
    copy = MemoryStorage()
    copy.save(manager.token_data)
    manager_at(provider, storage=copy).refresh_tokens()
    with pytest.raises(ReauthRequiredError):
        userinfo_client(provider, auth_manager=manager).get("/me")
    assert not manager.is_connected


def test_two_accounts_and_two_clients_of_one_provider(provider):
    """Each account's client uses its own token."""
    ada = sign_in(manager_at(provider, storage=MemoryStorage()))
    grace = sign_in(
        AuthManager(config_of(provider.confidential), provider=ada.provider, storage=MemoryStorage()),
        GRACE,
    )
    for account, email in ((ada.account, ADA), (grace.account, GRACE), (GRACE.upper(), GRACE)):
        assert userinfo_client(provider, account=account).get_json("/me")["email"] == email
    with IapLikeApi(provider.issuer, audiences=[provider.public.client_id]) as api:
        assert IAPClient(api.base_url, auth_manager=ada).get_json("/api/data")["email"] == ADA
