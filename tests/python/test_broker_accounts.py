"""The account whose tokens a manager gets from a broker, and its sign-out there."""

from __future__ import annotations

from typing import Any

import pytest
import tokentoss
from tokentoss import (
    GOOGLE,
    ConfigurationError,
    NoCredentialsError,
    TokenRefreshError,
)
from tokentoss.broker import FakeBroker
from tokentoss.broker.answers import AccountOfToken, ProviderToken
from tokentoss.session.app_host import APP_HOST_VARIABLE
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.session.detached_broker import manager_at


@pytest.fixture
def manager(broker: FakeBroker) -> BrokerManager:
    broker.connect("google", email="ada@example.com")
    return BrokerManager(broker.broker())


def test_it_stays_with_its_account(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.id_token
    broker.connect("google", subject="subject-2", email="eve@example.com")
    manager._tokens.forget()
    assert manager.id_token
    assert manager.user_email == "ada@example.com"


def test_several_accounts_are_not_guessed_between(broker: FakeBroker, manager: BrokerManager) -> None:
    broker.connect("google", subject="subject-2", email="eve@example.com")
    with pytest.raises(NoCredentialsError) as caught:
        _ = manager.id_token
    assert caught.value.code == "account_ambiguous"
    chosen = BrokerManager(broker.broker(), account="eve@example.com")
    assert chosen.id_token
    assert chosen.user_email == "eve@example.com"
    assert {one.email for one in chosen.accounts()} == {"ada@example.com", "eve@example.com"}
    assert chosen.use_account("ada@example.com").email == "ada@example.com"
    assert chosen.id_token
    assert chosen.user_email == "ada@example.com"


def test_a_token_of_somebody_else_is_not_used(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.id_token
    broker.grants[0].subject = "subject-9"
    manager._tokens.forget()
    with pytest.raises(TokenRefreshError) as caught:
        _ = manager.access_token
    assert caught.value.code == "broker_token_foreign"


def test_signing_out_disconnects_for_everybody(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.id_token
    other = BrokerManager(broker.broker())
    assert other.id_token
    result = manager.sign_out()
    assert (result.removed, result.error) == (True, None)
    assert result.account is not None
    assert broker.grants == []
    assert ("DELETE", f"/v1/accounts/{broker_id(broker)}?revoke=false") in [
        one[:2] for one in broker.requests
    ]
    assert not other.is_authenticated
    assert manager.id_token is None
    assert other.id_token is None
    assert tokentoss.CREDENTIALS is None


def broker_id(broker: FakeBroker) -> str:
    return next(
        path.split("/")[-1].partition("?")[0] for method, path, _ in broker.requests if method == "DELETE"
    )


def test_a_sign_out_without_the_broker_says_so_and_ends_here(
    broker: FakeBroker, manager: BrokerManager
) -> None:
    assert manager.id_token
    broker.close()
    result = manager.sign_out(revoke=True)
    assert result.removed is False
    assert result.error is not None
    assert result.error.code == "broker_unreachable"
    assert manager.id_token is None


def test_the_same_user_at_another_broker_is_another_grant(broker: FakeBroker, manager: BrokerManager) -> None:
    assert manager.id_token
    with FakeBroker() as second:
        second.connect("google", email="ada@example.com")
        there = BrokerManager(second.broker())
        assert there.id_token
        assert there.id_token != manager.id_token
        manager.sign_out()
        assert there.is_authenticated
        assert there.id_token


def test_a_token_that_arrives_after_the_sign_out_is_dropped(
    broker: FakeBroker, manager: BrokerManager
) -> None:
    """A token that arrives after a sign-out is not returned."""
    assert manager.id_token
    current = manager._tokens.current

    def late(kind: object) -> object:
        token = current(kind)  # type: ignore[arg-type]
        manager.sign_out()
        return token

    manager._tokens.current = late  # type: ignore[assignment,method-assign]
    assert manager.id_token is None
    assert not manager.is_authenticated


def test_an_answer_for_the_account_before_is_not_kept(broker: FakeBroker, manager: BrokerManager) -> None:
    """A token of the previous account is not returned after a change of account."""
    assert manager.access_token
    bob = broker.connect("google", subject="subject-2", email="bob@example.com")
    ask = manager._tokens.client.get_valid_provider_access_token

    def late(*arguments: Any, **named: Any) -> ProviderToken:
        token = ask(*arguments, **named)
        manager._tokens.client.get_valid_provider_access_token = ask  # type: ignore[method-assign]
        manager.connected(AccountOfToken(bob.id, bob.subject, bob.email))
        return token

    manager._tokens.forget()
    manager._tokens.client.get_valid_provider_access_token = late  # type: ignore[method-assign]
    assert manager.access_token == bob.access_token, "who asks now is answered for whom is signed in now"
    assert manager.user_email == "bob@example.com"


def test_a_process_of_several_people_has_to_name_the_user(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(APP_HOST_VARIABLE, "1")
    with pytest.raises(ConfigurationError) as caught:
        BrokerManager(broker.broker())
    assert caught.value.code == "broker_user_missing"
    for user in ("ada", "eve"):
        broker.connect("google", tenant="acme", user=user, subject=user)
    managers = [BrokerManager(broker.broker(tenant="acme", user=user)) for user in ("ada", "eve")]
    assert [one.access_token is not None for one in managers] == [True, True]
    subjects = [one.account.subject if one.account else None for one in managers]
    assert subjects == ["ada", "eve"]
    assert tokentoss.CREDENTIALS is None, "of nobody whom this thread is known to serve"


def test_clients_of_one_broker_share_a_manager(broker: FakeBroker) -> None:
    assert manager_at(broker.broker()) is manager_at(broker.broker(), GOOGLE)
    assert manager_at(broker.broker()) is not manager_at(broker.broker(tenant="acme", user="ada"))


def test_scopes_that_were_asked_for(broker: FakeBroker) -> None:
    broker.connect("google", scopes=["openid", "email"])
    manager = BrokerManager(broker.broker(), scopes=["openid", "https://drive"])
    assert manager.access_token, "what was granted stays usable"
    assert manager.missing_scopes == ["https://drive"]
    assert manager.asked_scopes == ["openid", "https://drive"]
    broker.grants[0].scopes.append("https://drive")
    manager.connected(AccountOfToken(broker.grants[0].id, "subject-1"))
    assert manager.access_token
    assert manager.missing_scopes == []
