"""After its session ended, a manager keeps to that account and does not change to another one."""

from __future__ import annotations

import time

import pytest
from broker_steps import ADA, asked, listens_anew, shown, until
from fake_provider import FakeProvider
from tokentoss import AuthWidget, IAPClient, NoCredentialsError, ReauthRequiredError
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.broker.fake.state import Grant
from tokentoss.session.broker_manager import BrokerManager
from tokentoss.widgets import branded

BOB = "bob@example.com"


@pytest.fixture
def ada(broker: FakeBroker) -> Grant:
    return connected(broker, "ada")


@pytest.fixture
def bob(broker: FakeBroker) -> Grant:
    return connected(broker, "bob")


@pytest.fixture
def manager(broker: FakeBroker, ada: Grant, bob: Grant) -> BrokerManager:
    """A manager whose user chose Ada, of two accounts."""
    manager = BrokerManager(broker.broker())
    manager.use_account(ADA)
    assert manager.id_token
    return manager


def connected(broker: FakeBroker, name: str) -> Grant:
    return broker.connect("google", subject=name, email=f"{name}@example.com")


def hear(broker: FakeBroker, manager: BrokerManager) -> None:
    manager._heard(BrokerClient(broker.broker()).accounts())


def disconnect(broker: FakeBroker, grant: Grant) -> None:
    BrokerClient(broker.broker()).disconnect(grant.id)


def ended(broker: FakeBroker, manager: BrokerManager, grant: Grant, how: str) -> None:
    """Let the account in use end elsewhere, and the manager hear of it."""
    if how == "dead":
        broker.end(grant)
    else:
        disconnect(broker, grant)
    hear(broker, manager)
    assert not manager.is_authenticated


@pytest.mark.parametrize("how", ["dead", "disconnected"])
def test_news_choose_nobody_who_was_there_before(
    broker: FakeBroker, manager: BrokerManager, ada: Grant, how: str
) -> None:
    ended(broker, manager, ada, how)
    for _ in range(2):
        hear(broker, manager)
        assert not manager.is_authenticated
    assert manager.user_email is None


@pytest.mark.parametrize("how", ["dead", "disconnected"])
def test_nor_do_calls(broker: FakeBroker, manager: BrokerManager, ada: Grant, bob: Grant, how: str) -> None:
    if how == "dead":
        broker.end(ada)
    else:
        disconnect(broker, ada)
    manager._tokens.forget()
    for _ in range(3):
        try:
            assert manager.id_token is None
            assert manager.access_token is None
        except ReauthRequiredError:
            assert how == "dead"
        assert not manager.look() if how == "disconnected" else not manager.is_authenticated
    assert bob.access_token == "", "nobody asked for it"


def test_who_was_never_listed_beside_it_is_told_by_the_time(broker: FakeBroker, ada: Grant) -> None:
    """After a session, only an account connected later is used."""
    manager = BrokerManager(broker.broker())
    assert manager.id_token
    bob = connected(broker, "bob")
    bob.connected_at -= 60
    disconnect(broker, ada)
    manager._tokens.forget()
    assert manager.id_token is None
    hear(broker, manager)
    assert not manager.is_authenticated
    # He connects his account once more.
    bob.connected_at = time.time()
    hear(broker, manager)
    assert manager.user_email == BOB
    assert manager.previous_user == ADA


def test_of_two_who_came_since_nobody_is_guessed(broker: FakeBroker, ada: Grant) -> None:
    manager = BrokerManager(broker.broker())
    assert manager.id_token
    ended(broker, manager, ada, "disconnected")
    connected(broker, "bob")
    eve = connected(broker, "eve")
    hear(broker, manager)
    assert not manager.is_authenticated
    # One of them being of no use does not make the other one the one that is meant.
    broker.end(eve)
    hear(broker, manager)
    assert not manager.is_authenticated


def test_nor_is_the_only_usable_one_of_two_the_one_that_is_meant(
    broker: FakeBroker, ada: Grant, bob: Grant
) -> None:
    broker.end(ada)
    manager = BrokerManager(broker.broker())
    hear(broker, manager)
    assert not manager.is_authenticated
    assert bob.access_token == ""


@pytest.mark.parametrize("by", ["news", "a call"])
def test_the_same_account_is_used_again(
    broker: FakeBroker, manager: BrokerManager, ada: Grant, by: str
) -> None:
    """The same account is used again after it ended, even with another identifier."""
    ended(broker, manager, ada, "disconnected")
    again = connected(broker, "ada")
    assert again.id != ada.id
    if by == "news":
        hear(broker, manager)
        assert manager.is_authenticated
    assert manager.id_token == again.id_token
    assert manager.user_email == ADA


@pytest.mark.parametrize("how", ["chosen", "suggested"])
def test_the_user_may_choose_another_one(
    broker: FakeBroker, manager: BrokerManager, ada: Grant, how: str
) -> None:
    ended(broker, manager, ada, "dead")
    if how == "chosen":
        manager.use_account(BOB)
    else:
        manager.suggest(BOB)
    assert manager.id_token
    assert manager.user_email == BOB


def test_a_sign_out_is_of_the_account_that_ended(
    broker: FakeBroker, manager: BrokerManager, ada: Grant, bob: Grant
) -> None:
    ended(broker, manager, ada, "dead")
    result = manager.sign_out()
    assert result.account is not None
    assert (result.account.email, result.removed) == (ADA, True)
    assert broker.grants == [bob]


def test_a_sign_out_in_another_manager_chooses_nobody(broker: FakeBroker, manager: BrokerManager) -> None:
    other = BrokerManager(broker.broker(), account=ADA)
    assert other.id_token
    other.sign_out()
    hear(broker, manager)
    assert manager.id_token is None
    assert not manager.is_authenticated


def test_a_manager_of_one_account_takes_no_other(broker: FakeBroker, ada: Grant) -> None:
    manager = BrokerManager(broker.broker(), account=ADA)
    assert manager.id_token
    ended(broker, manager, ada, "disconnected")
    connected(broker, "bob")
    hear(broker, manager)
    assert not manager.is_authenticated


def test_a_widget_offers_a_sign_in(broker: FakeBroker, ada: Grant, bob: Grant) -> None:
    """After its session ended, a widget offers a sign-in and uses no other account."""
    manager = BrokerManager(broker.broker())
    manager.use_account(ADA)
    widget = shown(broker, branded.GoogleAuthWidget(auth_manager=manager))
    assert isinstance(widget, AuthWidget)
    assert widget.user_email == ADA
    broker.end(ada)
    until(lambda: not widget.is_authenticated)
    until(lambda: widget.broker)
    questions = asked(broker, "/v1/accounts")
    with broker.changed:
        broker.tell("connected", bob)
    until(lambda: asked(broker, "/v1/accounts") > questions)
    listens_anew(broker, broker.listeners.cut)
    assert (widget.is_authenticated, widget.user_email, widget.error_code) == (False, "", "reauth_required")
    widget.close()


def test_clients_of_one_manager(
    broker: FakeBroker, service: FakeProvider, ada: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client stays with its account, and a new client uses the new one."""
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    old = IAPClient(service.issuer)
    assert old.get_json("/api")
    disconnect(broker, ada)
    connected(broker, "bob")
    assert old._tokens._brokered is not None  # type: ignore[union-attr]
    old._tokens._brokered._tokens.forget()  # type: ignore[union-attr]
    for _ in range(2):
        with pytest.raises(NoCredentialsError) as caught:
            old.get("/api")
        assert caught.value.code == "client_session_ended"
    new = IAPClient(service.issuer)
    assert new.get_json("/api")
    with pytest.raises(NoCredentialsError):
        old.get("/api")
    connected(broker, "ada")
    assert old.get_json("/api"), "its own account again"
