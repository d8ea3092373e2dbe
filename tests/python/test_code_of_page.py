"""A sign-in by code that the page runs: its tokens have no nonce, which only some tickets allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_provider import CLIENT_ID, FakeProvider
from page import Page
from test_widget import from_page, message, sent
from tokentoss import AuthManager, AuthWidget, ClientConfig, SignInError
from tokentoss.handoff.ticket import Exchange

Make = Callable[..., AuthManager]
pytestmark = pytest.mark.usefixtures("recorded")

PAGE = "https://login.example/device?user_code=WDJB-MJHT"


@pytest.fixture
def manager(fake: FakeProvider, make_manager: Make) -> AuthManager:
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    return make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, ""))


@pytest.fixture
def widget(manager: AuthManager) -> AuthWidget:
    return AuthWidget(auth_manager=manager)


def tokens(widget: AuthWidget, fake: FakeProvider, **claims: Any) -> dict[str, Any]:
    """What a page seals: tokens without a nonce, and no salt."""
    return Page(widget.ticket).plaintext(fake, {"nonce": None, **claims}, salt=None)


def deliver(widget: AuthWidget, plaintext: dict[str, Any], purpose: str = "device_tokens") -> str:
    """Put it into the trait, as a page that runs the grant; the code of what came of it."""
    under_way = {"type": "report", "ticket": widget.ticket["id"], "page": 1, "number": 1, "phase": "code"}
    message(widget, under_way)
    from_page(widget, sealed_tokens=Page(widget.ticket).seal(plaintext, purpose))
    code: str = widget.error_code
    return code


def test_tokens_without_a_nonce_sign_in(widget: AuthWidget, fake: FakeProvider) -> None:
    assert widget.ticket["provider"]["device_authorization_endpoint"] == fake.issuer + "/device"
    assert deliver(widget, tokens(widget, fake)) == ""
    assert widget.status == "Signed in as ada@example.com"
    assert widget.auth_manager.token_data is not None
    assert widget.auth_manager.token_data.refresh_token == "refresh-1"


@pytest.mark.parametrize(
    ("exchange", "secret"), [("kernel", ""), ("auto", "secret-1"), ("browser", "secret-1")]
)
def test_a_ticket_whose_page_cannot_ask_takes_none(
    make_manager: Make, fake: FakeProvider, exchange: Exchange, secret: str
) -> None:
    """A ticket whose page cannot ask for a code accepts no tokens without a nonce (C7)."""
    provider = fake.provider(device_authorization_endpoint=fake.issuer + "/device")
    manager = make_manager(provider=provider, client_config=ClientConfig(CLIENT_ID, secret))
    widget = AuthWidget(auth_manager=manager, exchange=exchange)
    assert widget.offers_code
    assert_taken_for_nothing(widget, fake)


def test_neither_does_one_of_a_provider_without_codes(make_manager: Make, fake: FakeProvider) -> None:
    """Tokens without a nonce are ignored if the provider has no device endpoint (C7)."""
    assert_taken_for_nothing(
        AuthWidget(auth_manager=make_manager(client_config=ClientConfig(CLIENT_ID, ""))), fake
    )


def assert_taken_for_nothing(widget: AuthWidget, fake: FakeProvider) -> None:
    ticket = widget.ticket
    assert ticket["provider"]["device_authorization_endpoint"] is None
    assert deliver(widget, tokens(widget, fake)) == ""
    assert (widget.is_authenticated, widget.ticket) == (False, ticket), "it changes nothing"
    hand_off = widget._attempt.hand_off
    assert hand_off is not None
    sealed = Page(ticket).seal(tokens(widget, fake), "device_tokens")
    assert hand_off.deliver(sealed) == "envelope_unreadable"


def test_ordinary_tokens_need_their_salt_all_the_same(widget: AuthWidget, fake: FakeProvider) -> None:
    """Tokens without a salt are refused under the purpose of ordinary sign-ins (C7)."""
    assert deliver(widget, tokens(widget, fake), "tokens") == "envelope_unreadable"
    assert not widget.is_authenticated


def test_ordinary_tokens_need_their_nonce_all_the_same(widget: AuthWidget, fake: FakeProvider) -> None:
    """Tokens without a nonce are refused under the purpose of ordinary sign-ins (C7)."""
    plaintext = Page(widget.ticket).plaintext(fake, {"nonce": None})
    assert deliver(widget, plaintext, "tokens") == "id_token_nonce_mismatch"
    assert not widget.is_authenticated


@pytest.mark.parametrize("nonce", ["another", "", 7, False])
def test_tokens_of_another_sign_in_are_refused(widget: AuthWidget, fake: FakeProvider, nonce: object) -> None:
    """Tokens with a nonce are refused as tokens of a code (C7)."""
    assert deliver(widget, tokens(widget, fake, nonce=nonce)) == "id_token_nonce_mismatch"
    assert not widget.is_authenticated


def test_even_those_of_this_ticket(widget: AuthWidget, fake: FakeProvider) -> None:
    """Tokens of the ticket's own popup sign-in are refused as tokens of a code (C7)."""
    page = Page(widget.ticket)
    assert deliver(widget, page.plaintext(fake)) == "id_token_nonce_mismatch"
    assert not widget.is_authenticated


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "another"}, "id_token_audience_mismatch"),
        ({"iss": "https://evil.example"}, "id_token_issuer_mismatch"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "id_token_access_token_hash_mismatch"),
        ({"exp": 1_600_000_000, "iat": 1_599_990_000}, "id_token_expired"),
    ],
)
def test_all_other_claims_are_checked(
    widget: AuthWidget, fake: FakeProvider, claims: dict[str, Any], code: str
) -> None:
    assert deliver(widget, tokens(widget, fake, **claims)) == code
    assert not widget.is_authenticated


@pytest.mark.parametrize(
    ("id_token", "code"), [("", "id_token_missing"), ("x", "id_token_malformed"), (7, "envelope_unreadable")]
)
def test_a_missing_id_token(widget: AuthWidget, fake: FakeProvider, id_token: object, code: str) -> None:
    assert deliver(widget, tokens(widget, fake) | {"id_token": id_token}) == code


def test_an_envelope_of_another_ticket(widget: AuthWidget, fake: FakeProvider) -> None:
    assert deliver(widget, tokens(widget, fake) | {"ticket": "another"}) == "envelope_unreadable"


def report(widget: AuthWidget, phase: str, code: str = "") -> None:
    message(widget, {"type": "report", "ticket": widget.ticket["id"], "phase": phase, "code": code})


def test_the_status_follows_the_page(widget: AuthWidget) -> None:
    report(widget, "code")
    assert (widget.status, widget.code) == ("Waiting for you to enter the code…", {})
    report(widget, "ready")
    assert widget.status == "Click to sign in"


def test_the_keys_are_there_before_the_tokens(
    widget: AuthWidget, fake: FakeProvider, eventually: Callable[..., Any]
) -> None:
    """The keys are fetched before the tokens arrive, so accepting needs no request."""
    report(widget, "code")
    eventually(lambda: fake.calls("/keys") == 1)
    assert deliver(widget, tokens(widget, fake)) == ""
    assert fake.calls("/keys") == 1


@pytest.mark.parametrize("code", ["expired_token", "access_denied", "device_response_invalid"])
def test_a_failure_ends_the_wait(widget: AuthWidget, code: str) -> None:
    outcome = widget._outcome(blocking=True)
    report(widget, "code")
    assert not outcome.done()
    report(widget, "failed", code)
    assert widget.error_code == code
    with pytest.raises(SignInError) as refusal:
        outcome.result(0)
    assert refusal.value.code == code


def pictures(widget: AuthWidget) -> list[dict[str, Any]]:
    contents = [data.get("content") for data in sent(widget)]
    return [content for content in contents if content and content.get("type") == "qr"]


def test_the_kernel_draws_the_page(widget: AuthWidget) -> None:
    message(widget, {"type": "draw_qr", "page": PAGE})
    (picture,) = pictures(widget)
    assert picture["page"] == PAGE
    assert picture["qr"].startswith("data:image/svg+xml")


@pytest.mark.parametrize(
    "page",
    [
        None,
        7,
        "",
        "http://login.example/device",
        "javascript:alert(1)",
        "https://login.example@evil.example/",
        "https://login.example/<svg>",
        "https://login.example/\n",
        "https://login.example/" + "x" * 2048,
        ["https://login.example/"],
    ],
)
def test_it_draws_nothing_else(widget: AuthWidget, page: object) -> None:
    message(widget, {"type": "draw_qr", "page": page})
    assert pictures(widget) == []
