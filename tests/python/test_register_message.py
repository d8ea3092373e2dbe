"""A page that registers by a custom message and is answered through the kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from page import ORIGIN, Page
from test_widget import customs, from_page, message
from tokentoss import AuthManager, AuthWidget, ClientConfig

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
CALLBACK_PAGE = "https://hub.example/services/tokentoss/callback"


@pytest.fixture
def widget(make_manager: Make) -> AuthWidget:
    return AuthWidget(auth_manager=make_manager(), redirect_uri=CALLBACK_PAGE)


def test_it_gets_the_client_secret_sealed(widget: AuthWidget) -> None:
    page = Page(widget.ticket)
    message(widget, page.register_message())
    (answer,) = customs(widget)
    page.registered(answer)
    assert page.client_secret == "secret-1"
    assert "secret-1" not in str(answer)


def test_a_public_client_has_none(make_manager: Make) -> None:
    widget = AuthWidget(auth_manager=make_manager(client_config=ClientConfig("c")))
    page = Page(widget.ticket)
    message(widget, page.register_message())
    page.registered(customs(widget)[0])
    assert page.client_secret is None


def test_with_a_callback_page(widget: AuthWidget) -> None:
    page = Page(widget.ticket)
    message(widget, page.register_message(url=page.url(redirect_uri=CALLBACK_PAGE)))
    assert customs(widget)[0]["type"] == "registered"


def test_a_loopback_that_works_later_ends_in_a_token(
    widget: AuthWidget, fake: Any, eventually: Callable[..., Any]
) -> None:
    """A page registered by message gets its answer through the kernel."""
    page = Page(widget.ticket)
    message(widget, page.register_message())
    reply = page.callback()
    assert reply.status == 200
    assert '"origin": ""' in reply.text
    assert ORIGIN not in reply.text
    assert page.post("/tokentoss/relay", page_token=page.page_token(reply)).json() == {"code": ""}
    relay = eventually(lambda: [one for one in customs(widget) if one["type"] == "relay"])[0]
    opened = page.key.open(relay["sealed"], page.context("callback"))
    assert opened == f"code=the-code&state={page.state}".encode()
    from_page(widget, sealed_tokens=page.envelope(fake))
    assert widget.is_authenticated


@pytest.mark.parametrize("first", ["message", "start page"])
def test_start_page_and_page_may_both_register(widget: AuthWidget, first: str) -> None:
    """The page's message and the start page may both register, in any order."""
    page = Page(widget.ticket)
    if first == "message":
        message(widget, page.register_message())
        assert page.register().status == 200
        assert '"origin": ""' in page.callback().text, "it stays as it was"
    else:
        assert page.register().status == 200
        message(widget, page.register_message())
        assert len(customs(widget)) == 1
        assert f'"origin": "{ORIGIN}"' in page.callback().text


@pytest.mark.parametrize(
    "change",
    [
        {"ticket": "another"},
        {"key": "short"},
        {"key": ""},
        {"url": "https://evil.example/"},
        {"url": ""},
        {"sealed": ""},
        {"sealed": "https://issuer.example/"},
        {"sealed": 5},
        {"key": None},
    ],
)
def test_a_refusal_is_silent(widget: AuthWidget, change: dict[str, Any]) -> None:
    message(widget, Page(widget.ticket).register_message(**change))
    assert customs(widget) == []


def test_another_pages_state_is_refused(widget: AuthWidget) -> None:
    page, other = Page(widget.ticket), Page(widget.ticket)
    other.state = page.state
    message(widget, page.register_message())
    message(widget, other.register_message())
    assert len(customs(widget)) == 1
    assert other.register().status == 403


def test_the_start_page_cannot_go_without_an_origin(widget: AuthWidget) -> None:
    assert Page(widget.ticket).register(origin="").status == 403
    members = Page(widget.ticket).registration()
    del members["origin"]
    assert Page(widget.ticket).post("/tokentoss/register", **members).status == 403


def test_a_redirect_uri_of_nobody(widget: AuthWidget) -> None:
    """A registration with another redirect URI than the ticket's gets no answer (C9)."""
    page = Page(widget.ticket)
    message(widget, page.register_message(url=page.url(redirect_uri="https://hub.example/other")))
    assert customs(widget) == []
