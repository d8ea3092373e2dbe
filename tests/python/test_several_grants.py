"""Several users, or one user at several clients, in one process and one file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tokentoss
from fake_provider import CLIENT_ID, FakeProvider
from test_accounts import of, sign_in
from test_auth_manager import response, stored
from tokentoss import AuthManager, AuthWidget, ClientConfig, FileStorage, MemoryStorage, StorageError
from tokentoss.cli import main

Make = Callable[..., AuthManager]


def test_after_a_sign_out_nobody_else_takes_the_place(
    make_manager: Make, fake: FakeProvider, recorded: None
) -> None:
    """After a sign-out, tokentoss.CREDENTIALS is None, not another user's (E1)."""
    ada, bob = make_manager(storage=FileStorage()), make_manager(storage=MemoryStorage())
    sign_in(ada, fake, "ada")
    sign_in(bob, fake, "bob")
    assert tokentoss.CREDENTIALS is bob.credentials
    widget = AuthWidget(auth_manager=bob)
    widget.sign_out()
    assert tokentoss.CREDENTIALS is None
    assert bob.id_token is bob.access_token is bob.credentials is None
    assert ada.is_authenticated
    assert ada.user_email == "ada@example.com"
    widget.close()


def test_loading_a_stored_account_does_not_replace_a_sign_in(make_manager: Make, fake: FakeProvider) -> None:
    """Loading a stored account does not change tokentoss.CREDENTIALS (E1)."""
    storage = FileStorage()
    storage.save(of(fake, "bob"))
    ada = make_manager()
    sign_in(ada, fake, "ada")
    bob = make_manager(storage=storage)
    assert bob.is_authenticated
    assert tokentoss.CREDENTIALS is ada.credentials
    ada.sign_out()
    assert tokentoss.CREDENTIALS is None


def test_a_sign_out_leaves_nothing_of_another_client_to_call_with(
    make_manager: Make, fake: FakeProvider, recorded: None
) -> None:
    """After client B's sign-out, client A's tokens are not used for B (E2)."""
    first = make_manager(storage=FileStorage())
    first.accept(response(fake), nonce="n")
    other = ClientConfig("client-b", "secret-b")
    second = make_manager(client_config=other, storage=FileStorage())
    token = fake.id_token(nonce="n", aud="client-b")
    second.accept(response(fake, id_token=token, access_token="access-b"), nonce="n")
    widget = AuthWidget(auth_manager=second)
    widget.sign_out()
    assert widget.status == "Click to sign in"
    assert tokentoss.CREDENTIALS is None
    again = make_manager(client_config=other, storage=FileStorage())
    assert again.id_token is again.access_token is None, "tokens of client A are not client B's"
    assert not again.is_authenticated
    widget.close()


def two_grants(fake: FakeProvider) -> list[str]:
    storage = FileStorage()
    keys = []
    for client in (CLIENT_ID, "client-b"):
        tokens = replace(
            stored(fake, claims={"aud": client}),
            issuer=fake.issuer,
            subject="user-1",
            client_id=client,
            token_endpoint=fake.issuer + "/token",
        )
        storage.save(tokens)
        keys.append(f"{fake.issuer}#user-1#{client}")
    return keys


def test_each_of_two_grants_of_one_user_has_a_name(
    fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    """sign-out --account can name either grant, and status tells them apart (E2)."""
    first, second = two_grants(fake)
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert f"client {CLIENT_ID}" in shown
    assert "client client-b" in shown
    assert main(["sign-out", "--account", "ada@example.com"]) == 1
    refused = capsys.readouterr().err
    assert first in refused
    assert second in refused
    assert main(["sign-out", "--account", first]) == 0
    assert [tokens.client_id for tokens in FileStorage().load_all()] == ["client-b"]
    assert main(["sign-out", "--account", "ada@example.com"]) == 0
    assert FileStorage().load_all() == []


def test_clear_removes_a_stored_session_that_is_not_used(make_manager: Make, fake: FakeProvider) -> None:
    """A sign-out also removes a session that has ended, as version 0.1.1 did (E6)."""
    storage = FileStorage()
    storage.save(stored(fake, expires_in=-10, refresh_token=""))
    manager = make_manager(storage=storage)
    assert not manager.is_authenticated
    assert storage.exists()
    result = manager.sign_out()
    assert (result.removed, result.error) == (True, None)
    assert result.account is not None
    assert result.account.email == "ada@example.com"
    assert not storage.exists()


def test_a_sign_out_that_removes_nothing_says_so(make_manager: Make, tmp_path: Path) -> None:
    """If the file cannot be read, the sign-out reports the error and removes nothing (E6)."""
    storage = FileStorage(tmp_path / "tokens.json")
    storage.path.touch(mode=0o600)
    storage.path.write_text("{")
    manager = make_manager(storage=storage)
    result = manager.sign_out()
    assert not result.removed
    assert isinstance(result.error, StorageError)
    assert storage.path.exists()


def test_a_second_sign_out_takes_nobody_else_along(make_manager: Make, fake: FakeProvider) -> None:
    """Signing out twice removes one account only (E6)."""
    storage = FileStorage()
    storage.save(of(fake, "bob"))
    storage.save(of(fake, "ada"))
    manager = make_manager(storage=storage)
    manager.sign_out()
    manager.sign_out()
    assert [tokens.user_email for tokens in storage.load_all()] == ["bob@example.com"]


def test_a_login_is_a_name_of_its_user(
    make_manager: Make, fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """A preferred_username that equals account= in another case gives no warning (P8)."""
    manager = make_manager(account="octocat")
    token = fake.id_token(nonce="n", preferred_username="Octocat", email="cat@example.com")
    with caplog.at_level(logging.WARNING):
        manager.accept(response(fake, id_token=token), nonce="n")
    assert manager.previous_user is None
    assert caplog.text == ""


def test_an_account_that_is_not_stored_is_said(
    make_manager: Make, fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """An account that is not stored is named in the log and in why_signed_out (P14)."""
    storage = FileStorage()
    storage.save(of(fake, "ada"))
    with caplog.at_level(logging.WARNING):
        manager = make_manager(storage=storage, account="typo@example.com")
    assert "None of your stored accounts is called typo@example.com" in caplog.text
    assert "None of your stored accounts is called typo@example.com" in manager.why_signed_out
