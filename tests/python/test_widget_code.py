"""The widget's sign-in by code: the page's requests and what it is shown."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets.widgets.widget as internals
import pytest
from fake_provider import Answer, FakeProvider
from test_device_sign_in import CODE, polls, refused, tokens
from test_widget import from_page, message, sent
from tokentoss import AuthManager, AuthWidget
from tokentoss.oauth import device_authorization

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def widget(fake: FakeProvider, make_manager: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthWidget]:
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)
    fake.answers["/device"] = Answer.json(CODE | {"interval": 0.01})
    fake.answers["/token"] = refused("authorization_pending")
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    yield widget
    widget.close()
    until(lambda: not polling())


def polling() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tokentoss-code"]


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_it_is_offered_where_the_provider_has_it(widget: AuthWidget, make_manager: Make) -> None:
    assert widget.offers_code
    assert not AuthWidget(auth_manager=make_manager()).offers_code


def test_a_code_is_shown_and_ends_in_tokens(widget: AuthWidget, fake: FakeProvider) -> None:
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.code)
    assert widget.code["user_code"] == "WDJB-MJHT"
    assert widget.code["page"] == widget.code["verification_uri"] == "https://login.example/device"
    assert widget.code["qr"].startswith("data:image/svg+xml")
    assert 0 < widget.code["expires_at"] - time.time() <= CODE["expires_in"]
    assert widget.status == "Waiting for you to enter the code…"
    fake.answers["/token"] = tokens(fake)
    until(lambda: widget.code == {})
    assert widget.status == "Signed in as ada@example.com"
    assert widget.ticket == {}
    assert "device-secret-1" not in str(sent(widget))
    assert "refresh-1" not in str(sent(widget))


@pytest.mark.parametrize("code", ["access_denied", "expired_token"])
def test_a_refusal_is_shown(widget: AuthWidget, fake: FakeProvider, code: str) -> None:
    fake.answers["/token"] = refused(code)
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.error_code)
    assert (widget.error_code, widget.code) == (code, {})
    assert widget.ticket, "the button works as before"


def test_no_code_is_told(widget: AuthWidget, fake: FakeProvider) -> None:
    fake.answers["/device"] = refused("unauthorized_client")
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.error_code)
    assert widget.error_code == "unauthorized_client"


def test_dropping_the_code_goes_back_to_the_button(widget: AuthWidget, fake: FakeProvider) -> None:
    message(widget, {"type": "ask_for_code"})
    until(lambda: polls(fake))
    message(widget, {"type": "drop_code"})
    assert (widget.code, widget.status) == ({}, "Click to sign in")
    fake.answers["/token"] = tokens(fake)
    until(lambda: not polling())
    assert not widget.is_authenticated


def test_a_second_code_replaces_the_first(widget: AuthWidget, fake: FakeProvider) -> None:
    message(widget, {"type": "ask_for_code"})
    until(lambda: polls(fake))
    fake.answers["/device"] = Answer.json(CODE | {"user_code": "SECOND", "interval": 0.01})
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.code.get("user_code") == "SECOND")
    until(lambda: len(polling()) == 1)


def test_a_page_cannot_write_it(widget: AuthWidget) -> None:
    from_page(widget, code={"user_code": "EVIL"}, offers_code=False)
    assert (widget.code, widget.offers_code) == ({}, True)


def test_closing_the_widget_ends_the_polling(widget: AuthWidget) -> None:
    message(widget, {"type": "ask_for_code"})
    until(lambda: widget.code)
    widget.close()
    until(lambda: not polling())


def test_a_widget_that_nobody_holds_polls_no_longer(widget: AuthWidget, make_manager: Make) -> None:
    other = AuthWidget(auth_manager=make_manager(provider=widget.auth_manager.provider))
    message(other, {"type": "ask_for_code"})
    until(polling)
    internals._instances.pop(other.model_id)
    gone = weakref.ref(other)
    other.comm._msg_callback = None
    del other
    gc.collect()
    assert gone() is None
    until(lambda: not polling())
