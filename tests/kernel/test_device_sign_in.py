"""Signing in by a code on another device (RFC 8628), at a real provider."""

from __future__ import annotations

import threading

import pytest
from servers.scripted_device import enter_code
from tokentoss import MemoryStorage, SignInError
from tokentoss.oauth import device_authorization

from kernel.people import ADA, config_of, manager_at, refreshes


@pytest.fixture
def manager(provider, monkeypatch):
    """A manager of the client for devices, with a provider that may be asked without a pause."""
    monkeypatch.setattr(device_authorization, "DEFAULT_INTERVAL", 0.01)
    return manager_at(provider, client_config=config_of(provider.device), storage=MemoryStorage())


def test_a_code_that_is_entered_ends_in_tokens(manager, provider):
    sign_in = manager.sign_in_by_code()
    authorization = sign_in.authorization
    assert authorization.verification_uri.startswith(provider.issuer)
    assert authorization.user_code in (authorization.verification_uri_complete or "")
    enter_code(authorization.verification_uri, authorization.user_code, ADA)
    tokens = sign_in.finish()
    assert manager.user_email == ADA
    assert manager.token_data == tokens
    assert tokens.signature_checked
    assert manager.refresh_tokens().refresh_token != tokens.refresh_token


def test_polling_goes_on_until_the_code_is_entered(manager, provider):
    sign_in = manager.sign_in_by_code()
    finished = threading.Thread(target=sign_in.finish)
    finished.start()
    try:
        while refreshes(provider) < 3:
            assert finished.is_alive()
        enter_code(sign_in.authorization.verification_uri, sign_in.authorization.user_code, ADA)
        finished.join(30)
        assert manager.user_email == ADA
    finally:
        sign_in.cancel()
        finished.join(30)


def test_declining_ends_it(manager):
    sign_in = manager.sign_in_by_code()
    enter_code(sign_in.authorization.verification_uri, sign_in.authorization.user_code, ADA, approve=False)
    with pytest.raises(SignInError) as refusal:
        sign_in.finish()
    assert refusal.value.code == "access_denied"
    assert not manager.is_authenticated


def test_a_client_that_may_not_is_told_so(provider):
    with pytest.raises(SignInError) as refusal:
        manager_at(provider, storage=MemoryStorage()).sign_in_by_code()
    assert refusal.value.code == "invalid_request"
