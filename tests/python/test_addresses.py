"""Addresses for the provider's answer: fixed ports, callback pages, and kernels that cannot listen."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import FakeProvider
from page import Page
from test_widget import from_page
from tokentoss import AuthManager, AuthWidget, ClientConfig, ConfigurationError
from tokentoss.callback import lease as lease_module
from tokentoss.callback import listener as listener_module
from tokentoss.callback import sockets as sockets_module
from tokentoss.callback.redirect_uris import CallbackAddresses, Loopback

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")
PAGE = "https://hub.example/services/tokentoss/callback"


@pytest.fixture
def taken() -> Any:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(1)
        yield one.getsockname()[1]


def web(*uris: str) -> ClientConfig:
    return ClientConfig("c", "s", client_type="web", redirect_uris=list(uris))


def test_the_first_free_port(make_manager: Make, taken: int, free_ports: list[int]) -> None:
    first, second, _ = free_ports
    widget = AuthWidget(auth_manager=make_manager(), redirect_ports=[taken, first, second])
    assert widget.ticket["redirect_uri"] == f"http://127.0.0.1:{first}/"
    assert Page(widget.ticket).register().status == 200
    other = AuthWidget(auth_manager=make_manager(), redirect_ports=[first])
    assert other.ticket["redirect_uri"] == widget.ticket["redirect_uri"], "one listener serves both"


def test_no_port_is_free(make_manager: Make, taken: int) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(1)
        also = one.getsockname()[1]
        widget = AuthWidget(auth_manager=make_manager(), redirect_ports=[taken, also])
        assert widget.error_code == "loopback_ports_taken"
        assert f"{taken}, {also}" in widget.error
        assert widget.ticket == {}
    alone = AuthWidget(auth_manager=make_manager(), redirect_ports=[taken])
    assert alone.error_code == "loopback_unavailable"
    assert str(taken) in alone.error


def test_a_port_that_becomes_free_is_taken_when_the_page_asks(make_manager: Make) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(1)
        port = one.getsockname()[1]
        widget = AuthWidget(auth_manager=make_manager(), redirect_ports=[port])
        errors: list[str] = []
        widget.observe(lambda change: errors.append(change["new"]), "error_code")
        widget._handle_custom_msg({"type": "ask_for_ticket"}, [])
        assert errors == ["", "loopback_unavailable"], "the same failure again is a change"
        assert widget.ticket == {}
    widget._handle_custom_msg({"type": "ask_for_ticket"}, [])
    assert (widget.status, widget.error, widget.error_code) == ("Click to sign in", "", "")
    assert Page(widget.ticket).register().status == 200
    ticket = widget.ticket
    widget._handle_custom_msg({"type": "ask_for_ticket"}, [])
    assert widget.ticket == ticket, "one that is outstanding stays"


def test_no_port_is_free_but_there_is_a_callback_page(make_manager: Make, taken: int) -> None:
    widget = AuthWidget(auth_manager=make_manager(), redirect_ports=[taken], redirect_uri=PAGE)
    assert (widget.ticket["redirect_uri"], widget.ticket["callback_pages"]) == (None, [PAGE])
    assert widget.error_code == ""


@pytest.mark.parametrize("port", [0, -1, 65536, "8765", True, 8765.0])
def test_no_port(make_manager: Make, port: Any) -> None:
    with pytest.raises(ConfigurationError, match="redirect_ports"):
        AuthWidget(auth_manager=make_manager(), redirect_ports=[port])


def test_callback_pages(make_manager: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(**arguments: Any) -> list[str]:
        ticket = AuthWidget(auth_manager=make_manager(), **arguments).ticket
        assert ticket["redirect_uri"].startswith("http://127.0.0.1:"), "the loopback stays the first way"
        found: list[str] = ticket["callback_pages"]
        return found

    other = "http://localhost:8888/tokentoss/callback"
    assert pages() == []
    assert pages(redirect_uri=PAGE) == [PAGE]
    assert pages(redirect_uri=[PAGE, other, PAGE]) == [PAGE, other]
    monkeypatch.setenv("TOKENTOSS_REDIRECT_URI", f" {other}, {PAGE} ")
    assert pages() == [other, PAGE]
    assert pages(redirect_uri=PAGE) == [PAGE]
    assert pages(redirect_uri=[]) == []


@pytest.mark.parametrize(
    "uri",
    [
        "hub.example/callback",
        "https://",
        "https://hub.example",
        "https://hub.example/cb?a=b",
        "https://hub.example/cb?",
        "https://hub.example/cb#f",
        "https://hub.example/cb#",
        "https://ada@hub.example/cb",
        "javascript:alert(1)",
        "https://hub.example/a b",
    ],
)
def test_no_callback_page(make_manager: Make, uri: str) -> None:
    """A redirect_uri that cannot be a callback page is refused (C10)."""
    with pytest.raises(ConfigurationError) as refused:
        AuthWidget(auth_manager=make_manager(), redirect_uri=uri)
    assert refused.value.code == "redirect_uri_invalid"


def test_the_addresses_of_a_web_clients_file() -> None:
    jupyter = "http://localhost:8888/user/ada/tokentoss/callback"
    config = web(
        "https://hub.example/oauth2", "http://plain.example/cb", jupyter, "http://127.0.0.1:8123/cb", PAGE
    )
    addresses = CallbackAddresses.of(config, "/")
    assert addresses.loopbacks == (Loopback("127.0.0.1", 8123, "/cb"),)
    assert addresses.pages == (jupyter, PAGE, "https://hub.example/oauth2"), "those of tokentoss first"
    assert CallbackAddresses.of(config, "/", redirect_uri=PAGE).pages == (PAGE,)
    assert CallbackAddresses.of(config, "/", redirect_ports=[9]).loopbacks == ()


def test_the_ports_of_a_web_client_are_the_registered_ones() -> None:
    config = web("http://127.0.0.1:8123/a", "http://localhost:8124/b")
    one, two = Loopback("127.0.0.1", 8123, "/a"), Loopback("localhost", 8124, "/b")
    assert CallbackAddresses.of(config, "/").loopbacks == (one, two)
    assert CallbackAddresses.of(config, "/", redirect_ports=[8124, 8123]).loopbacks == (two, one)
    with pytest.raises(ConfigurationError) as refused:
        CallbackAddresses.of(config, "/", redirect_ports=[9])
    assert refused.value.code == "client_secrets_redirect_missing"


def test_a_web_client_without_a_loopback_address(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager(client_config=web(PAGE)))
    assert (widget.ticket["redirect_uri"], widget.ticket["callback_pages"]) == (None, [PAGE])
    assert not lease_module._listeners, "nothing listens"
    page = Page(widget.ticket)
    from_page(widget, sealed_tokens=page.envelope(fake, {"aud": "c"}))
    assert widget.is_authenticated
    widget.sign_out()
    assert widget.ticket["callback_pages"] == [PAGE]
    widget.close()


@pytest.mark.parametrize("reason", ["pyodide", "no sockets", "no threads"])
def test_a_kernel_that_cannot_listen(
    make_manager: Make, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """A kernel that cannot listen gives a loopback address whose answer can be pasted."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("can't start new thread") if reason == "no threads" else PermissionError(13, "")

    if reason == "pyodide":
        monkeypatch.setattr(sys, "platform", "emscripten")
    elif reason == "no sockets":
        monkeypatch.setattr(sockets_module.socket, "socket", fail)
    else:
        monkeypatch.setattr(listener_module.threading.Thread, "start", fail)
    widget = AuthWidget(auth_manager=make_manager())
    assert widget.ticket["redirect_uri"].startswith("http://127.0.0.1:")
    assert not lease_module._listeners
    paged = AuthWidget(auth_manager=make_manager(), redirect_uri=PAGE)
    assert (paged.ticket["redirect_uri"], paged.ticket["callback_pages"]) == (None, [PAGE])
    monkeypatch.undo()
    from_page(widget, sealed_tokens=Page(widget.ticket).envelope(fake))
    assert widget.is_authenticated
