"""Sign-outs and changes of account with a broker: answers that are repeated, late, or for others."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import tokentoss
from broker_steps import ADA, Make, shown, signed_in, until
from forked import assert_in_child, needs_fork
from google.auth import exceptions as google_exceptions
from tokentoss import ReauthRequiredError, TokenRefreshError
from tokentoss.broker import Broker, BrokerClient, FakeBroker
from tokentoss.broker.answers import AccountOfToken, ProviderToken
from tokentoss.broker.fake.state import Grant
from tokentoss.session import broker_manager
from tokentoss.session.broker_manager import BrokerManager


@pytest.fixture
def grant(broker: FakeBroker) -> Grant:
    return broker.connect("google", email=ADA)


@pytest.fixture
def manager(broker: FakeBroker, grant: Grant) -> BrokerManager:
    manager = BrokerManager(broker.broker())
    assert manager.id_token
    return manager


class Watching:
    """Keeps what it sees whenever it is told."""

    def __init__(self, manager: BrokerManager, look: Callable[[], Any]) -> None:
        self.look, self.seen = look, list[Any]()
        manager.observe_session(self.told)

    def told(self) -> None:
        self.seen.append(self.look())


def disconnects(broker: FakeBroker) -> list[str]:
    return [path for method, path, _ in broker.requests if method == "DELETE"]


def slowly(manager: BrokerManager, during: Callable[[], object]) -> None:
    """Do something while the manager's next answer is under way."""
    client = manager._tokens.client
    ask = client.get_valid_provider_access_token

    def late(*arguments: Any, **named: Any) -> ProviderToken:
        token = ask(*arguments, **named)
        client.get_valid_provider_access_token = ask  # type: ignore[method-assign]
        during()
        return token

    manager._tokens.forget()
    client.get_valid_provider_access_token = late  # type: ignore[method-assign]


def test_first_here_then_the_broker_then_who_looks_on(
    broker: FakeBroker, manager: BrokerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = BrokerManager(broker.broker())
    assert other.id_token
    watching = Watching(manager, lambda: len(broker.grants))
    beside = Watching(other, lambda: (len(broker.grants), other.is_authenticated))
    at_request: list[Any] = []
    disconnect = BrokerClient.disconnect

    def watched(self: BrokerClient, *arguments: Any, **named: Any) -> None:
        here = [one.is_authenticated or one._tokens._held for one in (manager, other)]
        at_request.append((here, tokentoss.CREDENTIALS, list(watching.seen), list(beside.seen)))
        disconnect(self, *arguments, **named)

    monkeypatch.setattr(BrokerClient, "disconnect", watched)
    result = manager.sign_out()
    assert at_request == [([{}, {}], None, [], [])]
    assert (watching.seen, beside.seen) == ([0], [(0, False)])
    assert (result.removed, result.error) == (True, None)


def test_an_observer_that_raises_changes_nothing(broker: FakeBroker, manager: BrokerManager) -> None:
    def broken() -> None:
        raise RuntimeError

    first = Watching(manager, broken)
    last = Watching(manager, lambda: manager.is_authenticated)
    result = manager.sign_out()
    assert (result.removed, result.error, broker.grants) == (True, None, [])
    assert (first.seen, last.seen) == ([], [False])


def test_a_broker_that_does_not_hear_is_told_again(broker: FakeBroker, manager: BrokerManager) -> None:
    other = BrokerManager(broker.broker())
    assert other.id_token
    account = manager.account
    broker.failures = [{"code": "storage_unavailable"}]
    result = manager.sign_out()
    assert (result.account, result.removed) == (account, False)
    assert result.error is manager.last_error is not None
    assert result.error.code == "storage_unavailable"
    for one in (manager, other):
        assert not one.is_authenticated
        assert one.id_token is None, "the account is still connected, and nobody here uses it"
    again = manager.sign_out()
    assert (again.account, again.removed, again.error) == (account, True, None)
    assert broker.grants == []
    assert len(disconnects(broker)) == 2
    nobody = manager.sign_out()
    assert (nobody.account, nobody.removed, nobody.error) == (None, True, None)
    assert len(disconnects(broker)) == 2


def test_whoever_signs_in_again_owes_nothing(
    broker: FakeBroker, manager: BrokerManager, grant: Grant
) -> None:
    broker.failures = [{"code": "storage_unavailable"}]
    manager.sign_out()
    bob = broker.connect("google", subject="subject-2", email="bob@example.com")
    manager.connected(AccountOfToken(bob.id, bob.subject, bob.email))
    manager.sign_out()
    assert broker.grants == [grant], "that of the other account"
    assert manager.sign_out().removed
    assert broker.grants == [grant]


def test_an_account_that_nobody_has_used_yet(broker: FakeBroker, grant: Grant) -> None:
    manager = BrokerManager(broker.broker())
    watching = Watching(manager, lambda: manager.is_authenticated)
    result = manager.sign_out()
    assert result.account is not None
    assert result.account.email == grant.email
    assert (result.removed, broker.grants) == (True, [])
    assert watching.seen == [False], "it was never signed in"
    assert not [path for _, path, _ in broker.requests if path == "/v1/token"]


@pytest.mark.parametrize("why", ["away", "several"])
def test_an_account_that_is_not_known_is_not_said_to_be_removed(broker: FakeBroker, why: str) -> None:
    manager = BrokerManager(broker.broker())
    if why == "away":
        broker.close()
    else:
        for subject in ("subject-1", "subject-2"):
            broker.connect("google", subject=subject)
    result = manager.sign_out()
    assert (result.account, result.removed) == (None, False)
    assert result.error is not None
    assert result.error.code == {"away": "broker_unreachable", "several": "account_ambiguous"}[why]
    assert manager.id_token is None
    assert len(broker.grants) == {"away": 0, "several": 2}[why]


def test_a_sign_out_leaves_other_accounts_alone(broker: FakeBroker) -> None:
    """A sign-out leaves another broker user's grant of the same account."""
    for user in ("ada", "eve"):
        broker.connect("google", tenant="acme", user=user, email=ADA)
    ada, eve = (BrokerManager(broker.broker(tenant="acme", user=user)) for user in ("ada", "eve"))
    assert ada.id_token
    token = eve.id_token
    assert token
    assert ada.sign_out().removed
    assert [grant.owner[1] for grant in broker.grants] == ["eve"]
    assert eve.is_authenticated
    assert eve.id_token == token


def test_tokens_that_arrive_after_a_sign_out_are_not_kept(broker: FakeBroker, manager: BrokerManager) -> None:
    asking = manager._tokens
    slowly(manager, manager.sign_out)
    assert manager.access_token is None
    assert not manager.is_authenticated
    assert manager.token_data is None
    assert asking._held == manager._tokens._held == {}
    assert tokentoss.CREDENTIALS is None


def test_nor_are_those_of_another_manager(broker: FakeBroker, manager: BrokerManager) -> None:
    """Another manager's answer that arrives after the sign-out is discarded."""
    other = BrokerManager(broker.broker())
    slowly(other, manager.sign_out)
    assert other.access_token is None
    assert not other.is_authenticated
    assert other.token_data is None


def test_a_sign_in_that_ends_after_a_sign_out(broker: FakeBroker, manager: BrokerManager) -> None:
    bob = broker.connect("google", subject="subject-2")
    slowly(manager, manager.sign_out)
    manager.connected(AccountOfToken(bob.id, bob.subject))
    assert not manager.is_authenticated
    assert manager.id_token is None


def test_the_later_of_two_choices_counts(broker: FakeBroker, manager: BrokerManager) -> None:
    bob, eve = (
        broker.connect("google", subject=name, email=f"{name}@example.com") for name in ("bob", "eve")
    )
    slowly(manager, lambda: manager.use_account("eve@example.com"))
    manager.use_account("bob@example.com")
    assert manager.user_email == "eve@example.com"
    assert manager.access_token == eve.access_token
    assert bob.access_token


def test_the_account_before_serves_until_the_next_one_is_here(
    broker: FakeBroker, manager: BrokerManager, grant: Grant
) -> None:
    broker.connect("google", subject="bob", email="bob@example.com")
    token, during = manager.access_token, list[Any]()
    slowly(manager, lambda: during.append((manager.user_email, manager.access_token)))
    manager.use_account("bob@example.com")
    assert during == [(ADA, grant.access_token)]
    assert token == grant.access_token
    assert manager.user_email == "bob@example.com"


def test_a_failure_of_the_account_before_ends_nothing(
    broker: FakeBroker, manager: BrokerManager, grant: Grant
) -> None:
    bob = broker.connect("google", subject="bob", email="bob@example.com")
    client = manager._tokens.client
    ask = client.get_valid_provider_access_token

    def refused(*_: Any, **__: Any) -> ProviderToken:
        client.get_valid_provider_access_token = ask  # type: ignore[method-assign]
        manager.connected(AccountOfToken(bob.id, bob.subject, bob.email))
        raise ReauthRequiredError(code="reauth_required")

    manager._tokens.forget()
    client.get_valid_provider_access_token = refused  # type: ignore[method-assign]
    assert manager.access_token == bob.access_token
    assert manager.last_error is None


def test_every_answer_is_of_the_account_that_was_in_use(broker: FakeBroker, manager: BrokerManager) -> None:
    """Threads that read during account changes get the right account's token (P1)."""
    bob = broker.connect("google", subject="bob", email="bob@example.com")
    accounts = [AccountOfToken(one.id, one.subject, one.email) for one in (broker.grants[0], bob)]
    wrong: list[Any] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            try:
                token = manager._current("access_token")
                held = manager.token_data
                own = {one.subject: one.access_token for one in broker.grants}
            except TokenRefreshError as failure:
                wrong.append(failure)
                return
            if token is None or held is None:
                wrong.append(token)
            elif held.access_token not in {"", own[held.subject]}:
                wrong.append(held)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for one in threads:
        one.start()
    for turn in range(30):
        manager.connected(accounts[turn % 2])
    is_over.set()
    for one in threads:
        one.join()
    assert wrong == []


@pytest.mark.parametrize("how", ["reauth_required", "signed out", "signed out elsewhere"])
def test_googles_libraries_hear_of_it(
    broker: FakeBroker, manager: BrokerManager, grant: Grant, how: str
) -> None:
    credentials = manager.credentials
    assert credentials is not None
    assert credentials.valid
    if how == "reauth_required":
        broker.end(grant)
    elif how == "signed out":
        manager.sign_out()
    else:
        BrokerClient(broker.broker()).disconnect(grant.id)
    for held in manager._tokens._held.values():
        held.since._monotonic -= 10
    with pytest.raises(google_exceptions.RefreshError) as caught:
        credentials.refresh()
    code = {"signed out": "no_credentials", "signed out elsewhere": "not_connected"}.get(how, how)
    cause = caught.value.__cause__
    assert isinstance(cause, tokentoss.TokenTossError)
    assert (cause.code, caught.value.code) == (code, code)  # type: ignore[attr-defined]
    assert caught.value.retryable is False
    assert caught.value.action == cause.action  # type: ignore[attr-defined]
    assert cause.__traceback__ is None, "no frames"
    assert not credentials.valid
    assert credentials.token is None
    with pytest.raises(google_exceptions.RefreshError):
        credentials.refresh_handler(None, None)


def test_a_refresh_without_the_broker_leaves_a_valid_token(
    broker: FakeBroker, manager: BrokerManager
) -> None:
    credentials = manager.credentials
    assert credentials is not None
    token = credentials.token
    broker.close()
    for held in manager._tokens._held.values():
        held.since._monotonic -= 10
    credentials.refresh()
    assert (credentials.token, credentials.valid) == (token, True)


@needs_fork
def test_nothing_reappears_in_a_fork(broker: FakeBroker, manager: BrokerManager) -> None:
    manager.sign_out()
    broker.connect("google", email=ADA)
    assert_in_child(
        lambda: manager.id_token is None and not manager.is_authenticated and tokentoss.CREDENTIALS is None
    )


def test_nothing_reappears_in_the_next_kernel(
    broker: FakeBroker, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    manager = BrokerManager(Broker(broker.url))
    assert manager.credentials is not None
    credentials = manager.credentials
    manager.sign_out()
    broker.connect("google", email=ADA)
    restored = pickle.loads(pickle.dumps(credentials))
    assert restored.manager.access_token is None
    assert isinstance(restored.manager, broker_manager.DetachedBrokerManager)
    code = "import tokentoss as t; assert t.CREDENTIALS is None; assert t.AuthManager.signed_in() == []"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_widget_says_that_the_broker_did_not_hear(broker: FakeBroker, brokered: Make) -> None:
    widget = signed_in(broker, shown(broker, brokered()))
    broker.failures = [{"code": "key_unavailable"}]
    result = widget.sign_out()
    assert result.removed is False
    assert (widget.is_authenticated, widget.error_code) == (False, "key_unavailable")
    assert widget.sign_out().removed
    assert broker.grants == []
    until(lambda: widget.broker)
