"""A displayed widget shows changes of its user's accounts as the broker reports them."""

from __future__ import annotations

import gc
import logging

import pytest
from broker_steps import ADA, Make, asked, listening_threads, listens_anew, shown, signed_in, until
from tokentoss import AuthWidget, BoxAuthWidget
from tokentoss.broker import BrokerClient, FakeBroker, news
from tokentoss.broker.fake.state import Grant
from tokentoss.session.broker_manager import BrokerManager

SIGNED_IN = f"Signed in as {ADA}"


def test_a_sign_in_elsewhere_is_shown(broker: FakeBroker, displayed: AuthWidget) -> None:
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)
    assert (displayed.status, displayed.user_email, displayed.error, displayed.broker) == (
        SIGNED_IN,
        ADA,
        "",
        {},
    )
    assert displayed.auth_manager.id_token


def test_a_sign_out_elsewhere_is_shown_and_a_sign_in_after_it(
    broker: FakeBroker, displayed: AuthWidget
) -> None:
    signed_in(broker, displayed)
    token = displayed.auth_manager.id_token
    client = BrokerClient(broker.broker())
    client.disconnect(client.accounts("google")[0].id)
    until(lambda: not displayed.is_authenticated)
    until(lambda: displayed.broker)
    assert displayed.error_code == "not_connected"
    assert displayed.auth_manager.token_data is None
    broker.connect("google", email=ADA)
    until(lambda: displayed.is_authenticated)
    assert (displayed.status, displayed.error) == (SIGNED_IN, "")
    assert displayed.auth_manager.id_token not in {None, token}


def test_an_account_that_died_asks_for_a_sign_in(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    broker.end(broker.grants[0])
    until(lambda: not displayed.is_authenticated)
    assert displayed.error_code == "reauth_required"
    assert "Sign in again" in displayed.error
    assert displayed.auth_manager.last_error.cause == "invalid_grant"  # type: ignore[union-attr]
    until(lambda: displayed.broker)
    signed_in(broker, displayed)
    assert displayed.error == ""


def test_somebody_else_who_signed_in_elsewhere_is_named(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    grant = broker.grants[0]
    BrokerClient(broker.broker()).disconnect(grant.id)
    until(lambda: not displayed.is_authenticated)
    broker.connect("google", subject="subject-2", email="bob@example.com")
    until(lambda: displayed.is_authenticated)
    assert displayed.status == f"Signed in as bob@example.com, a different user than last time ({ADA})"


def test_more_accounts_elsewhere_change_nothing_here(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    questions = asked(broker, "/v1/accounts")
    broker.connect("google", subject="subject-2", email="bob@example.com")
    broker.connect("box", email="box@example.com")
    until(lambda: asked(broker, "/v1/accounts") > questions)
    listens_anew(broker, broker.listeners.cut)
    assert (displayed.status, displayed.error) == (SIGNED_IN, "")


def test_which_of_several_is_meant_is_not_guessed(broker: FakeBroker, brokered: Make) -> None:
    for subject in ("subject-1", "subject-2"):
        broker.connect("google", subject=subject, email=f"{subject}@example.com")
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: asked(broker, "/v1/accounts"))
    listens_anew(broker, broker.listeners.cut)
    assert not widget.is_authenticated


def test_scopes_that_were_granted_elsewhere(broker: FakeBroker, brokered: Make) -> None:
    widget = signed_in(broker, shown(broker, brokered(BoxAuthWidget, scopes=["root_readonly"])))
    assert widget.request_scopes("root_readwrite") == ["root_readwrite"]
    until(lambda: widget.broker)
    assert widget.status == "Click to allow more"
    broker.connect("box", email=ADA, scopes=["root_readonly", "root_readwrite"])
    until(lambda: not widget.missing_scopes)
    until(lambda: widget.broker == {})
    assert widget.status == SIGNED_IN


def test_news_that_come_twice_or_late(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    grant, tokens = broker.grants[0], asked(broker, "/v1/token")
    for name in ("connected", "connected", "disconnected", "sign_in_needed"):
        questions = asked(broker, "/v1/accounts")
        with broker.changed:
            broker.tell(name, grant)
        until(lambda questions=questions: asked(broker, "/v1/accounts") > questions)
    listens_anew(broker, broker.listeners.cut)
    assert (displayed.status, displayed.error) == (SIGNED_IN, "")
    assert asked(broker, "/v1/token") == tokens


def test_news_of_others_are_never_shown(broker: FakeBroker, brokered: Make) -> None:
    ada = shown(broker, brokered(broker=broker.broker(tenant="acme", user="ada")))
    eve = shown(broker, brokered(broker=broker.broker(tenant="acme", user="eve")))
    until(lambda: len(broker.listeners) == 2)
    other = broker.connect("google", email="eve@example.com", tenant="acme", user="eve")
    until(lambda: eve.is_authenticated)
    # Even if the broker told the wrong listener of it.
    members = {"account": other.id, "provider": "google", "version": 1}
    questions = asked(broker, "/v1/accounts")
    broker.listeners.tell(("acme", "ada"), "connected", members)
    until(lambda: asked(broker, "/v1/accounts") > questions)
    listens_anew(broker, broker.listeners.cut)
    assert (ada.is_authenticated, ada.user_email, ada.error) == (False, "", "")
    assert eve.user_email == "eve@example.com"


def test_a_user_who_signed_out_here_stays_so(broker: FakeBroker, displayed: AuthWidget) -> None:
    signed_in(broker, displayed)
    displayed.sign_out()
    broker.connect("google", email=ADA)
    listens_anew(broker, broker.listeners.cut)
    assert not displayed.is_authenticated
    assert displayed.error == ""


def test_who_joins_a_connection_that_stands_is_told_at_once(broker: FakeBroker, brokered: Make) -> None:
    box = shown(broker, brokered(BoxAuthWidget))
    joined = brokered()
    joined._repr_mimebundle_()
    until(lambda: joined.broker)
    # What happened in between is in no event that comes later.
    with broker.changed:
        grant = Grant(("default", "default"), "google", "subject-1", ADA, ["openid", "email"])
        broker.grants.append(grant)
    manager = BrokerManager(broker.broker())
    following = manager.follow_news()
    until(lambda: manager.is_authenticated)
    following.close()
    assert asked(broker, "/v1/events") == 1
    assert not box.is_authenticated


def test_the_thread_ends_with_the_last_who_follows(broker: FakeBroker) -> None:
    """The thread ends once its last follower is closed or collected."""
    first, last = BrokerManager(broker.broker()), BrokerManager(broker.broker())
    followings = [first.follow_news(), last.follow_news()]
    until(lambda: len(broker.listeners) == 1)
    followings[0].close()
    assert listening_threads()
    del last
    gc.collect()
    until(lambda: not listening_threads())


def test_each_kind_of_unexpected_failure_is_shown_once(
    broker: FakeBroker, brokered: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tokentoss.broker.news")
    widget = shown(broker, brokered())
    listener = news._listeners[broker.broker()]
    for failure in (RuntimeError, LookupError, RuntimeError, LookupError):
        listener._log_unexpected(failure())
    shown_kinds = [type(one.exc_info[1]) for one in caplog.records if one.exc_info]
    assert shown_kinds == [RuntimeError, LookupError]
    widget.close()
