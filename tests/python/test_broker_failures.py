"""Failures of a widget with a broker, and what the user can do about each."""

from __future__ import annotations

import threading
import time

import pytest
from broker_steps import ORIGIN, Make, offered, say, until
from fake_provider import Answer, FakeProvider
from forked import assert_in_child, needs_fork
from tokentoss import (
    Broker,
    ConfigurationError,
    SignInError,
)
from tokentoss.broker import FakeBroker
from tokentoss.widgets import broker_attempt, broker_page
from tokentoss.widgets.sign_in_traits import WAITING


def test_the_fifth_wrong_code_ends_the_sign_in(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    broker.return_from_provider(attempt)
    for number in range(1, 6):
        say(widget, "confirm", attempt.id, "WRONG222")
        until(lambda number=number: attempt.wrong == number)
    until(lambda: widget.error_code == "confirmation_wrong")
    until(lambda: widget.broker and widget.broker["id"] != attempt.id)
    assert widget.error, "it stays to be read"


def test_a_failure_is_shown_and_the_next_click_opens_a_window(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    outcome: list[Exception] = []

    def wait() -> None:
        try:
            widget.wait(20)
        except SignInError as failure:
            outcome.append(failure)

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: widget._waiters._outcomes)
    broker.fail(attempt, "access_denied", "Access was not granted. Sign in again and accept.")
    thread.join(20)
    assert [failure.code for failure in outcome] == ["access_denied"]  # type: ignore[attr-defined]
    until(lambda: widget.broker and widget.broker["id"] != attempt.id)
    assert widget.error_code == "access_denied"
    assert "Access was not granted" in widget.error
    assert widget.acknowledged == attempt.id
    broker.sign_in(broker.attempts[widget.broker["id"]])
    until(lambda: widget.is_authenticated)
    assert widget.error == ""


def test_a_broker_that_is_away(broker: FakeBroker, brokered: Make) -> None:
    broker.close()
    widget = brokered()
    with pytest.raises(Exception, match=broker.url) as caught:
        widget.wait(20)
    assert caught.value.code == "broker_unreachable"  # type: ignore[attr-defined]
    assert widget.error_code == "broker_unreachable"
    assert broker.url in widget.error
    assert widget.broker == {}


def test_waiting_again_tries_again(broker: FakeBroker, brokered: Make) -> None:
    broker.failures = [{"code": "client_misconfigured"}]
    widget = brokered()
    with pytest.raises(ConfigurationError) as caught:
        widget.wait(20)
    assert (caught.value.code, caught.value.action) == ("client_misconfigured", "ask_admin")
    broker.connect("google")
    assert widget.wait(20).subject == "subject-1"


def test_a_wrong_key(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered(broker=Broker(broker.url, "wrong"))
    with pytest.raises(ConfigurationError) as caught:
        widget.wait(20)
    assert caught.value.code == widget.error_code == "caller_unauthenticated"


def test_a_guess_that_is_not_allowed_costs_a_code(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.origins = [ORIGIN]
    monkeypatch.setattr(broker_page, "own_origins", lambda: {"http://localhost:8888"})
    widget = brokered()
    first = offered(broker, widget)
    assert "page_origin" not in first.asked
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.broker["id"] != first.id)
    assert broker.attempts[widget.broker["id"]].asked["page_origin"] == ORIGIN
    assert widget.error == ""


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://broker.example/", "//evil.example", 7])
def test_a_page_that_is_none(service: FakeProvider, brokered: Make, url: object) -> None:
    service.answers["/v1/token"] = Answer.json(
        {"code": "not_connected", "title": "Nobody."}, 404, Content_Type="application/problem+json"
    )
    begun = {"id": "a", "way": "page", "url": url, "expires_at": time.time() + 600}
    service.answers["/v1/authorizations"] = Answer.json(begun, 201)
    widget = brokered(broker=Broker(service.issuer, "key"))
    widget._repr_mimebundle_()
    until(lambda: widget.error_code == "broker_answer_invalid")
    assert widget.broker == {}


@needs_fork
def test_a_forked_process_gives_nothing_up(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)

    def check() -> bool:
        widget.close()
        widget._attempt.begin()
        return True

    assert_in_child(check)
    assert list(broker.attempts) == [attempt.id]
    broker.sign_in(attempt)
    until(lambda: widget.is_authenticated)


def test_an_interrupted_wait_leaves_the_sign_in_as_it_is(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = brokered()
    attempt = offered(broker, widget)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("concurrent.futures.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            widget.wait(20)
    broker.sign_in(attempt)
    assert widget.wait(20).subject == "subject-1"


def test_a_failure_to_offer_can_be_tried_again(broker: FakeBroker, brokered: Make) -> None:
    broker.failures = [{"code": "storage_unavailable"}]
    widget = brokered()
    widget._repr_mimebundle_()
    until(lambda: widget.error_code == "storage_unavailable")
    widget._take_message(None, {"type": "ask_for_ticket"}, None)
    until(lambda: widget.broker)
    assert widget.error == ""


def test_a_broker_that_restarted_and_forgot(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    with broker.changed:
        del broker.attempts[attempt.id]
        broker.changed.notify_all()
    until(lambda: widget.broker and widget.broker["id"] != attempt.id)
    assert widget.error_code == "authorization_unknown"


def test_an_origin_that_is_not_allowed(broker: FakeBroker, brokered: Make) -> None:
    broker.origins = ["https://lab.example"]
    widget = brokered()
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.error_code == "origin_forbidden")
    assert "allow" in widget.error


def test_renewals_have_an_end(broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_attempt, "MOST_OFFERS", 2)
    broker.authorization_lifetime = 2.1
    widget = brokered()
    offered(broker, widget)
    until(lambda: widget.error_code == "authorization_expired")
    assert len(broker.attempts) == 2
    widget._take_message(None, {"type": "ask_for_ticket"}, None)
    until(lambda: len(broker.attempts) == 3)


def test_an_offer_that_was_clicked_and_expires_is_told(broker: FakeBroker, brokered: Make) -> None:
    """An offer that was clicked and then expires is reported, even if a newer one exists."""
    widget = brokered()
    attempt = offered(broker, widget)
    say(widget, "opened", attempt.id)
    assert widget.status == WAITING
    widget._attempt._start(widget._attempt._round)  # type: ignore[union-attr]
    until(lambda: widget.broker["id"] != attempt.id)
    second = widget.broker["id"]
    with broker.changed:
        attempt.status = "expired"
        broker.changed.notify_all()
    until(lambda: widget.error_code == "authorization_expired")
    assert widget.status != WAITING
    assert widget.acknowledged == attempt.id
    until(lambda: widget.broker and widget.broker["id"] not in {attempt.id, second})
    broker.sign_in(broker.attempts[widget.broker["id"]])
    until(lambda: widget.is_authenticated)


def test_an_offer_that_nobody_clicked_expires_in_silence(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    widget._attempt._start(widget._attempt._round)  # type: ignore[union-attr]
    until(lambda: widget.broker["id"] != attempt.id)
    second = widget.broker["id"]
    with broker.changed:
        attempt.status = "expired"
        broker.changed.notify_all()
    until(lambda: attempt.id not in widget._attempt._offered)  # type: ignore[union-attr]
    assert (widget.error_code, widget.broker["id"]) == ("", second)
