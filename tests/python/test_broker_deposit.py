"""Sign-ins whose code the page seals to the broker and the kernel passes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from broker_steps import until
from fake_provider import FakeProvider
from page import Page
from tokentoss import AuthWidget, SignInError, TokenTossError
from tokentoss.broker import FakeBroker
from tokentoss.handoff.sealing import RecipientKey
from tokentoss.util.base64url import b64url

NONCE = b64url(b"n" * 32)


@pytest.fixture
def key() -> RecipientKey:
    """The broker's."""
    return RecipientKey.generate()


@pytest.fixture
def depository(fake: FakeProvider, key: RecipientKey) -> Iterator[FakeBroker]:
    with FakeBroker(way="deposit", issuers={"fake": fake.issuer}) as broker:
        broker.deposit_client = {
            "public_key": b64url(key.public),
            "client_id": "the-brokers-client",
            "scopes": ["openid", "email"],
            "provider": {
                "issuer": fake.issuer,
                "authorization_endpoint": fake.issuer + "/auth",
                "token_endpoint": fake.issuer + "/token",
                "authorization_params": {"access_type": "offline"},
            },
            "callback_pages": [],
        }
        yield broker


@pytest.fixture
def widget(depository: FakeBroker, fake: FakeProvider) -> Iterator[AuthWidget]:
    widget = AuthWidget(provider=fake.provider(), broker=depository.broker())
    widget._repr_mimebundle_()
    until(lambda: widget.ticket or widget.error)
    yield widget
    widget.close()


def envelope(page: Page, **changes: Any) -> str:
    return page.seal(deposited(page, **changes), "code")


def deposited(page: Page, **changes: Any) -> dict[str, Any]:
    """Return a code envelope's members with a deposit in the place of the code."""
    return page.code(code="sealed-to-the-broker", code_verifier="") | changes


def test_the_ticket_is_made_of_what_the_broker_gave(
    widget: AuthWidget, depository: FakeBroker, key: RecipientKey
) -> None:
    ticket = widget.ticket
    attempt = depository.offered()
    assert (ticket["deposit_key"], ticket["id"]) == (b64url(key.public), attempt.id)
    assert ticket["nonce"] == attempt.nonce
    assert ticket["client_id"] == "the-brokers-client"
    assert ticket["scopes"] == ["openid", "email"]
    assert ticket["exchange"] == "kernel"
    assert ticket["client_secret_sealed"] is False
    assert ticket["provider"]["authorization_params"] == {"access_type": "offline"}
    assert widget.broker == {}


def test_the_code_is_carried_to_the_broker(widget: AuthWidget, depository: FakeBroker) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    assert page.client_secret is None
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=envelope(page))
    assert reply.status == 200
    until(lambda: widget.is_authenticated)
    assert depository.deposits == [(depository.offered().id, "sealed-to-the-broker")]
    assert widget.acknowledged == page.ticket["id"]
    assert widget.auth_manager.access_token
    tokens = widget.auth_manager.token_data
    assert tokens is not None
    assert tokens.refresh_token == ""


def test_wait_in_the_cell_that_shows_it(widget: AuthWidget) -> None:
    def sign_in() -> None:
        page = Page(widget.ticket)
        page.post("/tokentoss/deliver", page_token=page.reach_callback(), sealed=envelope(page))

    thread = threading.Thread(target=sign_in)
    thread.start()
    assert widget.wait(20).subject == "subject-1"
    thread.join()


def test_the_same_envelope_a_second_way_is_deposited_once(widget: AuthWidget, depository: FakeBroker) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    sealed = envelope(page)
    widget._take_message(None, {"type": "deliver", "ticket": page.ticket["id"], "sealed": sealed}, None)
    page.post("/tokentoss/deliver", page_token=token, sealed=sealed)
    assert len(depository.deposits) == 1


CHANGES: list[Callable[[Page], dict[str, Any]]] = [
    lambda _: {"code": "a-code", "code_verifier": "v" * 43},
    lambda _: {"code_verifier": None},
    lambda _: {"code": ""},
    lambda _: {"code": 7},
    lambda _: {"code": "x" * 40_000},
    lambda _: {"version": 1},
    lambda _: {"ticket": "another"},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_an_envelope_that_is_none(
    widget: AuthWidget, depository: FakeBroker, changes: Callable[[Page], dict[str, Any]]
) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    members = deposited(page)
    page.post("/tokentoss/deliver", page_token=token, sealed=page.seal(members | changes(page), "code"))
    until(lambda: widget.error_code == "envelope_unreadable")
    assert depository.deposits == []
    assert not widget.is_authenticated


def test_without_the_proof_it_changes_nothing(widget: AuthWidget, depository: FakeBroker) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=envelope(page, proof="wrong"))
    assert json.loads(reply.text)["code"] == "proof_mismatch"
    assert depository.deposits == []
    assert page.post("/tokentoss/deliver", page_token=token, sealed=envelope(page)).status == 200
    until(lambda: widget.is_authenticated)


def test_a_code_or_tokens_for_the_kernel_are_refused(
    widget: AuthWidget, depository: FakeBroker, fake: FakeProvider
) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=page.envelope(fake))
    assert json.loads(reply.text)["code"] == "envelope_unreadable"
    page.post("/tokentoss/deliver", page_token=token, sealed=page.code_envelope())
    until(lambda: widget.error_code == "envelope_unreadable")
    assert fake.calls("/token") == 0
    assert depository.deposits == []


def test_what_the_broker_says_of_the_code(widget: AuthWidget, depository: FakeBroker) -> None:
    page = Page(widget.ticket)
    token = page.reach_callback()
    depository.failures = [{"code": "state_mismatch"}]
    page.post("/tokentoss/deliver", page_token=token, sealed=envelope(page))
    until(lambda: widget.error_code == "state_mismatch")
    assert widget.error_detail == depository.url
    until(lambda: widget.ticket and widget.ticket["id"] != page.ticket["id"])


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": "short"},
        {"client_id": 7},
        {"scopes": "openid"},
        {"provider": {}},
        {
            "provider": {
                "issuer": "https://evil.example",
                "authorization_endpoint": "https://evil.example/auth",
                "token_endpoint": "https://evil.example/token",
            }
        },
    ],
    ids=str,
)
def test_a_broker_that_says_something_else(
    depository: FakeBroker, fake: FakeProvider, changes: dict[str, Any]
) -> None:
    depository.deposit_client |= changes
    widget = AuthWidget(provider=fake.provider(), broker=depository.broker())
    widget._repr_mimebundle_()
    until(lambda: widget.error)
    assert widget.error_code in {"broker_answer_invalid", "sealing_failed"}
    assert widget.ticket == {}
    with pytest.raises(TokenTossError) as caught:
        widget.wait(1)
    assert caught.value.code == widget.error_code
    widget.close()


def test_it_is_renewed_while_nobody_begins(depository: FakeBroker, fake: FakeProvider) -> None:
    depository.authorization_lifetime = 2.2
    widget = AuthWidget(provider=fake.provider(), broker=depository.broker())
    widget._repr_mimebundle_()
    first = until(lambda: widget.ticket)
    until(lambda: widget.ticket["id"] != first["id"])
    assert widget.error == ""
    widget.close()
    with pytest.raises(SignInError):
        widget.wait(1)
