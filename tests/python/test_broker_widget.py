"""The widget with a broker: a click needs no kernel message, and a thread waits for the broker."""

from __future__ import annotations

import gc
import json
import threading
import time
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import tokentoss
from broker_steps import ORIGIN, Make, offered, say, until
from tokentoss import (
    BoxAuthWidget,
    GoogleAuthWidget,
    IAPClient,
    NoCredentialsError,
    SignInError,
)
from tokentoss.broker import BrokerClient, FakeBroker
from tokentoss.widgets import background, broker_attempt, broker_page


def test_what_the_page_needs_is_there_before_the_click(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    assert broker.requests == [], "nothing before it is shown"
    attempt = offered(broker, widget)
    assert widget.broker == {
        "id": attempt.id,
        "url": f"{broker.url}/connect/{attempt.id}",
        "origin": broker.url,
        "confirm": False,
    }
    assert attempt.asked["provider"] == "google"
    assert attempt.asked["kernel"]
    assert "scopes" not in attempt.asked
    assert broker.key not in json.dumps(widget.get_state(), default=str)


def test_a_sign_in_reaches_the_kernel_and_plain_clients(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    broker.sign_in(offered(broker, widget), email="ada@example.com")
    until(lambda: widget.is_authenticated)
    assert widget.user_email == "ada@example.com"
    assert widget.status == "Signed in as ada@example.com"
    assert widget.broker == {}
    assert IAPClient("https://service.example")._tokens.current()
    assert tokentoss.CREDENTIALS is not None


def test_wait_in_the_cell_that_shows_it(broker: FakeBroker, brokered: Make) -> None:
    """wait() in the cell that shows the widget returns after the sign-in."""
    widget = brokered()

    def page() -> None:
        until(lambda: widget.broker)
        broker.sign_in(broker.offered(), email="ada@example.com")

    thread = threading.Thread(target=page)
    thread.start()
    assert widget.wait(20).email == "ada@example.com"
    thread.join()


def test_an_account_that_is_connected_already(broker: FakeBroker, brokered: Make) -> None:
    broker.connect("google", email="ada@example.com")
    widget = brokered()
    assert widget.wait(20).email == "ada@example.com"
    assert broker.attempts == {}


def test_the_page_tells_its_origin(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    first = offered(broker, widget)
    assert "page_origin" not in first.asked
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.broker["id"] != first.id)
    second = broker.attempts[widget.broker["id"]]
    assert second.asked["page_origin"] == ORIGIN
    say(widget, "page", text=ORIGIN)
    say(widget, "page", text="null")
    say(widget, "page", text="not an origin")
    assert offered(broker, brokered()).asked["page_origin"] == ORIGIN, "as known to the next widget"
    # The first one may have been clicked before the kernel heard of it.
    broker.sign_in(first)
    until(lambda: widget.is_authenticated)


def test_an_answer_that_comes_late_takes_nothing_back(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late offer without the page's origin does not replace the newer one."""
    begin = BrokerClient.begin
    is_asked, told = threading.Event(), threading.Event()
    late: list[threading.Thread] = []

    def slow(client: BrokerClient, *asked: Any, **wish: Any) -> Any:
        if wish["page_origin"] is not None:
            return begin(client, *asked, **wish)
        late.append(threading.current_thread())
        is_asked.set()
        assert told.wait(20)
        return begin(client, *asked, **wish)

    monkeypatch.setattr(BrokerClient, "begin", slow)
    widget = brokered()
    widget._repr_mimebundle_()
    assert is_asked.wait(20)
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.broker)
    published = widget.broker["id"]
    told.set()
    until(lambda: not late[0].is_alive())
    assert widget.broker["id"] == published
    assert broker.attempts[published].asked["page_origin"] == ORIGIN


@pytest.mark.parametrize("refused", ["origin_forbidden", "storage_unavailable"])
def test_a_guess_that_is_refused_late_ends_nothing(
    brokered: Make, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """A late refusal of a guessed origin does not end the current attempt."""
    guess = "http://127.0.0.1:8888"
    monkeypatch.setattr(broker_page, "_of_server", lambda: guess)
    monkeypatch.setattr(broker_page._Latest, "origin", None)
    begin = BrokerClient.begin
    is_asked, told = threading.Event(), threading.Event()
    late: list[threading.Thread] = []

    def slow(client: BrokerClient, *asked: Any, **wish: Any) -> Any:
        if wish["page_origin"] != guess:
            return begin(client, *asked, **wish)
        late.append(threading.current_thread())
        is_asked.set()
        assert told.wait(20)
        raise SignInError(code=refused)

    monkeypatch.setattr(BrokerClient, "begin", slow)
    widget = brokered()
    widget._repr_mimebundle_()
    assert is_asked.wait(20)
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.broker)
    told.set()
    until(lambda: not late[0].is_alive())
    assert widget.error_code == ""
    broker.sign_in(broker.attempts[widget.broker["id"]], email="ada@example.com")
    until(lambda: widget.is_authenticated)


def test_a_page_begins_it_where_the_host_does_not_say_that_it_is_shown(
    broker: FakeBroker, brokered: Make
) -> None:
    widget = brokered()
    say(widget, "page", text=ORIGIN)
    until(lambda: widget.broker)
    assert broker.offered().asked["page_origin"] == ORIGIN
    assert len(broker.attempts) == 1


def test_the_origin_of_the_kernels_own_server(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = {"http://127.0.0.1:8888", "http://localhost:8888", "http://[::1]:8888"}
    monkeypatch.setattr(broker_page, "own_origins", lambda: origins)
    assert offered(broker, brokered()).asked["page_origin"] == "http://localhost:8888"


def test_the_code_that_the_window_shows(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    sent: list[dict[str, Any]] = []
    widget._attempt._send = sent.append  # type: ignore[union-attr,method-assign,assignment]
    attempt = offered(broker, widget)
    confirmation = broker.return_from_provider(attempt, email="ada@example.com")
    until(lambda: widget.broker.get("confirm"))
    say(widget, "confirm", attempt.id, "WRONG222")
    until(lambda: sent)
    assert sent[0]["ticket"] == attempt.id
    assert sent[0]["paste"] is True
    assert "another code" in sent[0]["problem"]
    assert not widget.is_authenticated
    say(widget, "confirm", "another-sign-in", confirmation)
    say(widget, "confirm", attempt.id, f" {confirmation[:4].lower()}-{confirmation[4:]} ")
    until(lambda: widget.is_authenticated)
    assert attempt.wrong == 1


def test_it_is_renewed_before_its_end(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed, sleep=time.sleep)
    monkeypatch.setattr(broker_attempt, "time", clock)
    monkeypatch.setattr(broker_attempt, "LONGEST_WAIT", 1)
    widget = brokered()
    first = offered(broker, widget)
    passed = broker.authorization_lifetime - broker_attempt.RENEW_BEFORE + 5
    until(lambda: widget.broker["id"] != first.id)
    assert broker.attempt_of(first.owner, first.id).status == "pending", "before, not after"  # type: ignore[union-attr]
    assert widget.error == ""
    broker.sign_in(first)
    until(lambda: widget.is_authenticated)


def test_giving_up_offers_another_one(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    say(widget, "opened", attempt.id)
    assert widget.status == "Waiting for you in the popup…"
    say(widget, "give_up", attempt.id)
    until(lambda: attempt.id not in broker.attempts)
    until(lambda: widget.broker and widget.broker["id"] != attempt.id)
    assert widget.status == "Click to sign in"


def test_a_widget_that_is_closed_gives_up_its_sign_in(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    attempt = offered(broker, widget)
    widget.close()
    until(lambda: attempt.id not in broker.attempts)


def test_a_widget_that_is_collected_gives_up_its_sign_in(broker: FakeBroker) -> None:
    widget: Any = GoogleAuthWidget(broker=broker.broker())
    attempt = offered(broker, widget)
    gone = weakref.ref(widget)
    widget.let_go()
    del widget
    until(lambda: (gc.collect() and gone() is None) or gone() is None)
    until(lambda: attempt.id not in broker.attempts)


def test_signing_out_disconnects_and_offers_again(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered()
    broker.sign_in(offered(broker, widget))
    until(lambda: widget.is_authenticated)
    widget._take_message(None, {"type": "sign_out"}, None)
    assert broker.grants == []
    assert not widget.is_authenticated
    until(lambda: widget.broker)
    with pytest.raises(NoCredentialsError):
        IAPClient("https://service.example")._tokens.current()


def test_several_widgets_of_one_page(broker: FakeBroker, brokered: Make) -> None:
    one, two = brokered(), brokered()
    first, second = offered(broker, one), offered(broker, two)
    assert first.id != second.id
    broker.sign_in(second)
    until(lambda: two.is_authenticated)
    # The other one hears of it, and gives up what it offered.
    until(lambda: one.is_authenticated)
    until(lambda: first.id not in broker.attempts)


def test_more_scopes(broker: FakeBroker, brokered: Make) -> None:
    widget = brokered(BoxAuthWidget, scopes=["root_readonly"])
    broker.sign_in(offered(broker, widget))
    until(lambda: widget.is_authenticated)
    assert widget.granted_scopes == ["root_readonly"]
    assert widget.request_scopes("root_readwrite") == ["root_readwrite"]
    until(lambda: widget.broker)
    assert widget.is_authenticated
    attempt = broker.attempts[widget.broker["id"]]
    assert attempt.asked["scopes"] == ["root_readonly", "root_readwrite"]
    broker.sign_in(attempt)
    until(lambda: not widget.missing_scopes)


def test_a_kernel_without_threads_confirms_and_gives_up_all_the_same(
    broker: FakeBroker, brokered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = brokered()
    given_up = offered(broker, first)
    with monkeypatch.context() as patched:
        patched.setattr(background, "in_thread", lambda _work, _name: False)
        first.close()
        assert ("DELETE", f"/v1/authorizations/{given_up.id}") in [one[:2] for one in broker.requests]

    widget = brokered()
    attempt = offered(broker, widget)
    confirmation = broker.return_from_provider(attempt, email="ada@example.com")
    until(lambda: widget.broker.get("confirm"))
    with monkeypatch.context() as patched:
        patched.setattr(background, "in_thread", lambda _work, _name: False)
        say(widget, "confirm", attempt.id, confirmation)
        assert attempt.status == "done"
    until(lambda: widget.is_authenticated)
